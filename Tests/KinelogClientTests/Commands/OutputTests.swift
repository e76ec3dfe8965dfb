import Testing

@testable import kinelog

struct OutputTests {
    @Test(
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"),
            (1 << 20, "1.0 MiB"), (1_048_575, "1.0 MiB"), (5 << 30, "5.0 GiB"),
            (Int64.max, "8192.0 PiB"),
        ] as [(Int64, String)]
    )
    func `bytes are shortened`(count: Int64, text: String) {
        #expect(HumanText.bytes(count) == text)
    }

    @Test(
        arguments: [
            (0, "0 ms"), (999, "999 ms"), (2000, "2.0 s"), (12_499, "12.4 s"),
            (187_000, "3:07 min"),
            (7_500_000, "2:05 h"), (864_000_000, "10 days"),
        ] as [(Int64, String)]
    )
    func `lengths of time are shortened`(milliseconds: Int64, text: String) {
        #expect(HumanText.duration(milliseconds: milliseconds) == text)
    }

    @Test func `columns line up and control characters are kept from the terminal`() {
        var table = TextTable(["NAME": .left, "SIZE": .right, "NOTES": .left])
        table.add("a\u{1B}[2J", "1")
        table.add("bb", "100", "x")
        #expect(table.lines == ["NAME   SIZE  NOTES", "a?[2J     1", "bb      100  x"])
    }

    @Test(
        arguments: [
            (0, 100, "[........................] 0 %"),
            (50, 100, "[############............] 50 %"),
            (200, 100, "[########################] 100 %"),
            (0, 0, "[########################] 100 %"),
        ] as [(Int64, Int64, String)]
    )
    func `a bar shows the share`(done: Int64, total: Int64, text: String) {
        #expect(ProgressLine.bar(done, of: total) == text)
    }
}
