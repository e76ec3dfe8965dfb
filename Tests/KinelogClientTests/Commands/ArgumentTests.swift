import ArgumentParser
import NIOCore
import Testing

@testable import kinelog

struct ArgumentTests {
    @Test func `without options the server has the limits that are promised`() throws {
        let limits = try LimitOptions.parse([])
        #expect(limits.openMemory.bytes == 2_147_483_648)
        #expect(limits.maxSessions == 4096)
        let times = try TimeOptions.parse([])
        #expect(times.pushIdle.amount == .seconds(30))
        #expect(times.readerStall.amount == .seconds(60))
        #expect(times.drain.amount == .seconds(10))
    }

    @Test(arguments: [("24", 24), ("36h", 36), ("7d", 168), ("0", 0)])
    func `hours are read`(text: String, hours: Int) {
        #expect(HoursArgument(argument: text)?.hours == hours)
    }

    @Test(arguments: ["", "h", "-1", "1w", "1.5h", "99999999999999999999", "9223372036854775807d"])
    func `what are no hours is refused`(text: String) {
        #expect(HoursArgument(argument: text) == nil)
    }

    @Test(arguments: [("1", 1), ("10GiB", 10 << 30), ("5MB", 5_000_000), ("7B", 7)])
    func `bytes are read`(text: String, count: Int) {
        #expect(BytesArgument(argument: text)?.count == Int64(count))
    }

    @Test(arguments: ["", "0", "GiB", "1 GiB", "-1", "99999999999TiB", "1.5GiB"])
    func `what are no bytes is refused`(text: String) {
        #expect(BytesArgument(argument: text) == nil)
    }

    @Test(arguments: [
        ("1", Pacer.Speed.thousandths(1000)), ("0.5", .thousandths(500)),
        ("4", .thousandths(4000)), ("max", .max),
    ])
    func `a speed is read`(text: String, speed: Pacer.Speed) {
        #expect(SpeedArgument(argument: text)?.speed == speed)
    }

    @Test(arguments: ["", "0", "-1", "fast", "1e3", "100000", "nan", "."])
    func `what is no speed is refused`(text: String) {
        #expect(SpeedArgument(argument: text) == nil)
    }

    @Test(arguments: [
        ("-", ReplayTarget.file("-")), ("a.mkv", .file("a.mkv")), ("stream:cam", .stream("cam")),
    ])
    func `a target is read`(text: String, target: ReplayTarget) {
        #expect(ReplayTarget(argument: text) == target)
    }

    @Test(arguments: ["", "stream:", "stream:a b"])
    func `what is no target is refused`(text: String) {
        #expect(ReplayTarget(argument: text) == nil)
    }

    @Test(arguments: [
        ("dock.mkv", 1, "dock.mkv"), ("dock.mkv", 2, "dock.2.mkv"), ("a.b/dock", 2, "a.b/dock.2"),
        ("a.b/dock.mkv", 3, "a.b/dock.3.mkv"), (".hidden", 2, ".hidden.2"),
    ])
    func `a later document has its number in its name`(path: String, number: Int, name: String) {
        #expect(OutputFile.name(path, document: number) == name)
    }
}
