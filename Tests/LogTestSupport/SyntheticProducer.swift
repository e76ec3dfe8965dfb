package import FragmentLog
import Matroska
package import MediaModel
package import NIOCore

/// Makes well-formed fragments of arbitrary bytes, for tests that are about the log and not about
/// media.
package struct SyntheticProducer: Sendable {
    /// The tracks of its header: one of video.
    package let track: Track

    /// Its header.
    package let header: SegmentHeader

    /// A producer whose header depends on `codecID`.
    package init(codecID: String = "V_UNCOMPRESSED") {
        track = Track(
            number: 1,
            kind: .video,
            codecID: codecID,
            timeBase: .milliseconds,
            width: 16,
            height: 16
        )
        header = SegmentHeader(bytes: DocumentHeaderWriter.encode([track]), kind: .own)
    }

    /// What a fragment opens with.
    package func opening(
        producer: Timestamp,
        server: Timestamp? = nil,
        flags: FragmentFlags = []
    ) -> FragmentOpening {
        FragmentOpening(
            header: header,
            tracks: [
                SampleTrack(
                    number: 1,
                    timeBase: .milliseconds,
                    codecSet: CodecSet.id(of: track)
                )
            ],
            producer: producer,
            server: server,
            clockSource: .absolute,
            mediaTimeMilliseconds: 0,
            flags: flags
        )
    }

    /// Appends a Timecode and `samples` samples of `bytes` bytes each, 40 ms apart.
    package func fill(
        _ fragment: OpenFragment,
        samples: Int = 2,
        bytes: Int = 100,
        seed: UInt8 = 1
    ) throws {
        try fragment.append(
            ClusterWriter.timecode(UInt64(max(0, fragment.opening.producer.milliseconds))),
            nil,
            samples: []
        )
        for index in 0..<samples {
            let head = ClusterWriter.simpleBlockHead(
                track: 1,
                offset: Int16(index * 40),
                isKeyframe: index == 0,
                payloadLength: bytes
            )
            try fragment.append(
                head,
                ByteBuffer(repeating: seed &+ UInt8(truncatingIfNeeded: index), count: bytes),
                samples: [
                    SampleEntry(
                        track: 1,
                        offset: UInt64(head.readableBytes),
                        size: UInt32(bytes),
                        dts: Int64(index * 40),
                        pts: Int64(index * 40),
                        isSync: index == 0
                    )
                ]
            )
        }
    }

    /// Sends one whole fragment and waits until it is durable.
    @discardableResult
    package func send(
        _ session: ProducerSession,
        producer: Timestamp,
        server: Timestamp? = nil,
        samples: Int = 2,
        bytes: Int = 100,
        seed: UInt8 = 1,
        durationMilliseconds: UInt32 = 1000,
        tagsAfter: ByteBuffer = ByteBuffer()
    ) async throws -> FragmentRecord {
        let fragment = try await session.beginFragment(
            opening(producer: producer, server: server)
        )
        try fill(fragment, samples: samples, bytes: bytes, seed: seed)
        return try await fragment.finished(
            FragmentClosing(durationMilliseconds: durationMilliseconds, tagsAfter: tagsAfter)
        )
    }
}

extension OpenFragment {
    /// ``finish(_:completion:)`` as an async call.
    package func finished(_ closing: FragmentClosing) async throws -> FragmentRecord {
        try await withCheckedThrowingContinuation { continuation in
            finish(closing) { continuation.resume(with: $0.mapError { $0 as any Error }) }
        }
    }
}
