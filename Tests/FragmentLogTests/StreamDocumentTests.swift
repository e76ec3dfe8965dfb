@testable import FragmentLog
import LogTestSupport
import MediaModel
import NIOCore
import Testing

/// `stream.json`.
@Suite struct StreamDocumentTests {
    private func document() -> StreamDocument {
        var settings = StreamSettings(name: .test("dock-3"), retentionHours: 48)
        settings.retentionBytes = 1 << 33
        settings.mediaType = "video/h264"
        settings.deviceName = "a \"door\" / ü"
        settings.kmsKeyID = "key"
        settings.tags = ["site": "north", "Ä": ""]
        settings.minimumFragmentMilliseconds = 500
        settings.durability = .interval(milliseconds: 20)
        let time = Timestamp(milliseconds: 1_795_255_200_000)
        var document = StreamDocument(
            info: StreamInfo(
                settings: settings,
                id: StreamID(rawValue: 0xFEDC_BA98_7654_3210),
                created: time,
                version: "abc",
                retentionPaused: "clock: at start",
                recording: false,
                holds: [Hold(id: "h", from: time, to: time, reason: "police", created: time)]
            )
        )
        let first = FragmentNumber(sequence: 1, serverMilliseconds: 5, random: 1)
        let last = FragmentNumber(sequence: 9, serverMilliseconds: 5, random: 1)
        document.deletedRanges = [first...last]
        document.suspectSegments = [last: 4096]
        document.sequenceHighWater = .max
        document.ordinalFloor = 12
        document.ownerEpoch = 2
        return document
    }

    @Test func `a document comes back`() throws {
        let document = document()
        let read = try StreamDocument(try document.encoded(), path: "stream.json")
        #expect(read == document)
    }

    @Test func `a changed bit anywhere is found`() throws {
        let good = try document().encoded()
        for offset in 0..<good.readableBytes {
            var bad = good
            bad.setInteger(
                (bad.getInteger(at: offset, as: UInt8.self) ?? 0) ^ UInt8(1 << (offset % 8)),
                at: offset
            )
            #expect(throws: LogError.self, "byte \(offset)") {
                _ = try StreamDocument(bad, path: "stream.json")
            }
        }
    }

    @Test func `a cut anywhere is found`() throws {
        let good = try document().encoded()
        for length in 0..<good.readableBytes {
            let cut = good.getSlice(at: 0, length: length) ?? ByteBuffer()
            #expect(throws: LogError.self) { _ = try StreamDocument(cut, path: "stream.json") }
            #expect(throws: LogError.self) {
                _ = try StreamDocument(cut, path: "stream.json", isChecked: false)
            }
        }
    }

    @Test func `a later layout is refused as newer`() throws {
        let text = String(buffer: try document().encoded())
        let newer = ByteBuffer(string: text.replacing("\"layout\":1", with: "\"layout\":2"))
        do {
            _ = try StreamDocument(newer, path: "stream.json", isChecked: false)
            Issue.record("it was read")
        } catch {
            #expect(error.code == .newerVersion)
        }
    }

    @Test(
        arguments: [
            (-10, -1, false), (-10, 0, true), (0, 0, true), (100, 200, true), (101, 200, false),
            (.min, .max, true),
        ] as [(Int64, Int64, Bool)]
    )
    func `a hold covers whatever touches it`(from: Int64, to: Int64, isHeld: Bool) {
        var document = document()
        document.info.holds = [
            Hold(
                id: "h",
                from: Timestamp(milliseconds: 0),
                to: Timestamp(milliseconds: 100),
                reason: "",
                created: Timestamp(milliseconds: 0)
            )
        ]
        #expect(
            document.isHeld(
                from: Timestamp(milliseconds: from),
                to: Timestamp(milliseconds: to)
            ) == isHeld
        )
    }
}
