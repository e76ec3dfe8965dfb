@testable import FragmentLog
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport
import Testing

/// The bytes of `events.log`, which must never change.
@Suite struct EventsFileTests {
    private static let time = Timestamp(milliseconds: 1_795_255_200_000)
    private static let number = FragmentNumber(
        sequence: 5,
        serverMilliseconds: 1_795_255_200_000,
        random: 1
    )

    private static let events: [StreamEvent] = [
        .sessionOpen(
            session: 3,
            protocolName: "http",
            peer: "[::1]:5 \"é\"",
            clock: .absolute,
            at: time
        ),
        .gap(
            Gap(
                start: time,
                end: time.advanced(byMilliseconds: 500),
                clock: .producer,
                reason: .timestampJump,
                session: 3,
                after: number,
                sampleCount: 2,
                byteCount: 100
            )
        ),
        .gap(Gap(start: time, end: time, clock: .server, reason: .crash)),
        .sessionEnd(session: 3, reason: "finished", at: time),
    ]

    private static let golden = [
        #"{"atMs":1795255200000,"clock":"absolute","event":"session-open","peer":"[::1]:5 \"é\"","protocol":"http","session":3}"#,
        #"{"afterNumber":"91343852333181432412489103312385442474849468417","bytes":100,"clock":"producer","event":"gap","fromMs":1795255200000,"reason":"timestamp-jump","samples":2,"session":3,"toMs":1795255200500}"#,
        #"{"bytes":0,"clock":"server","event":"gap","fromMs":1795255200000,"reason":"crash","samples":0,"session":0,"toMs":1795255200000}"#,
        #"{"atMs":1795255200000,"event":"session-end","reason":"finished","session":3}"#,
    ]

    private static let checksums: [UInt32] = [
        0x16114253, 0x5A600BF8, 0xD332D81F, 0x6520997F,
    ]

    private func all() throws -> ByteBuffer {
        var bytes = ByteBuffer()
        for event in Self.events { bytes.writeImmutableBuffer(try EventsFile.encode(event)) }
        return bytes
    }

    @Test(arguments: 0..<4)
    func `an event has its golden bytes`(index: Int) throws {
        var bytes = try EventsFile.encode(Self.events[index])
        let length = bytes.readInteger(endianness: .little, as: UInt32.self)
        let checksum = bytes.readInteger(endianness: .little, as: UInt32.self)
        #expect(checksum == Self.checksums[index])
        #expect(length == UInt32(bytes.readableBytes))
        #expect(String(buffer: bytes) == Self.golden[index])
    }

    @Test func `events come back, and a cut anywhere gives those before it`() throws {
        let bytes = try all()
        let (events, length) = EventsFile.decode(bytes)
        #expect(events == Self.events)
        #expect(length == bytes.readableBytes)
        for cut in 0..<bytes.readableBytes {
            let (found, length) = EventsFile.decode(bytes.getSlice(at: 0, length: cut) ?? .init())
            #expect(found == Array(Self.events.prefix(found.count)))
            #expect(length <= cut)
        }
    }

    @Test func `a reader goes on behind a damaged event, wherever it is damaged`() throws {
        let bytes = try all()
        let place = try TemporaryDirectory()
        let path = place.file("events.log")
        for offset in 0..<bytes.readableBytes {
            var bad = bytes
            bad.setInteger((bad.getInteger(at: offset, as: UInt8.self) ?? 0) ^ 0x40, at: offset)
            try write(bad, toFile: path)
            let file = try OpenFile.open(path, 0)
            var reader = EventsReader(file: file, length: UInt64(bad.readableBytes))
            var found: [StreamEvent] = []
            var damaged: UInt64 = 0
            steps: while true {
                switch try reader.next() {
                case .event(let event, _, _): found.append(event)
                case .damaged(_, let length), .tail(_, let length): damaged += length
                case .end: break steps
                }
            }
            #expect(found.count == 3, "flipped at \(offset)")
            #expect(found.allSatisfy { Self.events.contains($0) })
            #expect(damaged > 0)
        }
    }

    @Test func `a hostile length does not make the reader read without end`() throws {
        let place = try TemporaryDirectory()
        let path = place.file("events.log")
        var bytes = ByteBuffer()
        bytes.writeInteger(UInt32.max, endianness: .little)
        bytes.writeInteger(UInt32(0), endianness: .little)
        bytes.writeString("{")
        try write(bytes, toFile: path)
        let file = try OpenFile.open(path, 0)
        var reader = EventsReader(file: file, length: 9)
        #expect(try reader.next() == .tail(offset: 0, length: 9))
        #expect(try reader.next() == .end)
    }
}
