import FragmentLog
import Logging
import LogTestSupport
import Matroska
import MediaModel
import NIOCore
import Synchronization
import TestSupport

/// Sends fragments and marks what is promised about them.
struct Producing: Sendable {
    let marks: Marks
    let stream: StreamLog
    let producer: SyntheticProducer

    /// Sends one fragment and marks its acknowledgement.
    ///
    /// - Throws: What the log refused it with; nothing was promised then.
    @discardableResult
    func send(
        _ session: ProducerSession,
        at time: Timestamp,
        samples: Int,
        bytes: Int,
        seed: UInt8
    ) async throws -> FragmentRecord {
        let opening = producer.opening(producer: time)
        let fragment = try await session.beginFragment(opening)
        marks.put("begin \(stream.name) \(fragment.number)")
        let (crc, length) = try fill(fragment, samples: samples, bytes: bytes, seed: seed)
        let record = try await fragment.finished(FragmentClosing(durationMilliseconds: 1000))
        marks.put(
            "ack \(stream.name) \(record.number) \(record.ordinal) \(record.session) "
                + "\(record.producer.milliseconds) \(record.serverEnd.milliseconds) \(crc) \(length)"
        )
        return record
    }

    /// Appends children whose checksum is computed here, independently of the log.
    func fill(
        _ fragment: OpenFragment,
        samples: Int,
        bytes: Int,
        seed: UInt8
    ) throws -> (
        crc: UInt32, length: Int
    ) {
        var crc = CRC32()
        var length = 0
        let timecode = ClusterWriter.timecode(
            UInt64(max(0, fragment.opening.producer.milliseconds))
        )
        crc.update(timecode)
        length += timecode.readableBytes
        try fragment.append(timecode, nil, samples: [])
        for index in 0..<samples {
            let head = ClusterWriter.simpleBlockHead(
                track: 1,
                offset: Int16(index * 10),
                isKeyframe: index == 0,
                payloadLength: bytes
            )
            let payload = ByteBuffer(
                repeating: seed &+ UInt8(truncatingIfNeeded: index),
                count: bytes
            )
            crc.update(head)
            crc.update(payload)
            length += head.readableBytes + bytes
            try fragment.append(
                head,
                payload,
                samples: [
                    SampleEntry(
                        track: 1,
                        offset: UInt64(head.readableBytes),
                        size: UInt32(bytes),
                        dts: Int64(index * 10),
                        pts: Int64(index * 10),
                        isSync: index == 0
                    )
                ]
            )
        }
        return (crc.value, length)
    }

    /// Reports a gap and marks it.
    func report(_ session: ProducerSession, at time: Timestamp) {
        marks.put("gap \(stream.name) \(session.id) \(time.milliseconds)")
        session.report(
            Gap(
                start: time,
                end: time.advanced(byMilliseconds: 500),
                clock: .producer,
                reason: .timestampJump
            )
        )
    }

    func end(_ session: ProducerSession, _ reason: SessionEnd = .finished) async {
        marks.put("ending \(stream.name) \(session.id)")
        await session.end(reason)
        marks.put("end \(stream.name) \(session.id)")
    }
}

/// A clock that runs a thousand times too fast, so that ten minutes pass in less than a second.
final class FastClock: WallClock {
    private let base: Timestamp
    private let started: Int64
    private let factor: Int64

    init(from base: Timestamp, factor: Int64 = 1000) {
        self.base = base
        self.factor = factor
        started = SystemClock().bootMilliseconds()
    }

    private var elapsed: Int64 { (SystemClock().bootMilliseconds() - started) * factor }

    func now() -> Timestamp { base.advanced(byMilliseconds: elapsed) }

    func bootMilliseconds() -> Int64 { 3_600_000 + elapsed }
}

extension LogConfiguration {
    /// Small limits, so that little work meets every path.
    static func crash(_ directory: String, clock: any WallClock) -> LogConfiguration {
        var configuration = LogConfiguration(directory: directory)
        configuration.clock = clock
        configuration.commitThreadCount = 3
        configuration.readThreadCount = 2
        configuration.roll.bytes = 150_000
        configuration.roll.ringBytes = 60_000
        configuration.ringBytes = 300_000
        configuration.openFragmentBytesMax = 400_000
        configuration.copyMilliseconds = 0
        configuration.sweepMilliseconds = 150
        configuration.silentTakeoverMilliseconds = 2000
        configuration.takeoversPerMinuteMax = 1_000_000
        return configuration
    }
}

/// Prints errors, so that a failed check can be understood.
struct QuietLog {
    static func logger(_ isLoud: Bool) -> Logger {
        Logger(label: "crash") { _ in
            guard isLoud else { return SwiftLogNoOpLogHandler() }
            var handler = StreamLogHandler.standardError(label: "crash")
            handler.logLevel = .info
            return handler
        }
    }
}
