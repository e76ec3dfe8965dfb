import FragmentLog
import LogTestSupport
import Matroska
import MediaModel
import NIOCore

/// Sends a source document into a log as PutMedia would.
struct TestProducer: Sendable {
    var source: SourceDocument
    var header: SegmentHeader
    var session: ProducerSession
    /// The instant of timecode zero.
    var zero = Timestamp(milliseconds: 0)

    init(
        _ source: SourceDocument,
        to stream: StreamLog,
        header: ByteBuffer? = nil,
        kind: SegmentKind = .putMedia,
        zero: Timestamp = Timestamp(milliseconds: 0)
    ) throws {
        self.source = source
        self.header = SegmentHeader(bytes: header ?? source.header.bytes, kind: kind)
        self.zero = zero
        session = try stream.openSession(.test)
    }

    func producer(_ index: Int) -> Timestamp {
        zero.advanced(byMilliseconds: Int64(source.clusters[index].timecode))
    }

    func duration(_ index: Int) -> UInt32 {
        let cluster = source.clusters[index]
        if index + 1 < source.clusters.count {
            return UInt32(source.clusters[index + 1].timecode - cluster.timecode)
        }
        let last = cluster.children.flatMap(\.samples).map(\.timecode).max() ?? 0
        return UInt32(max(0, last - Int64(cluster.timecode))) + 40
    }

    func begin(
        _ index: Int,
        tagsBefore: ByteBuffer = ByteBuffer(),
        flags: FragmentFlags = []
    ) async throws -> OpenFragment {
        try await session.beginFragment(
            FragmentOpening(
                header: header,
                tracks: source.header.tracks.map {
                    SampleTrack(
                        number: $0.number,
                        timeBase: $0.timeBase,
                        codecSet: CodecSet.id(of: $0)
                    )
                },
                producer: producer(index),
                clockSource: .absolute,
                mediaTimeMilliseconds: Int64(source.clusters[index].timecode),
                flags: flags,
                tagsBefore: tagsBefore
            )
        )
    }

    /// Appends some of a Cluster's children; its Timecode is the first.
    func append(_ range: Range<Int>? = nil, of index: Int, to fragment: OpenFragment) throws {
        let children = source.clusters[index].children
        for child in children[range ?? 0..<children.count] {
            try fragment.append(
                child.bytes,
                nil,
                samples: child.samples.map {
                    SampleEntry(
                        track: $0.track,
                        offset: UInt64($0.offset),
                        size: UInt32($0.length),
                        dts: $0.timecode,
                        pts: $0.timecode,
                        isSync: $0.isKeyframe
                    )
                }
            )
        }
    }

    @discardableResult
    func send(
        _ index: Int,
        tagsBefore: ByteBuffer = ByteBuffer(),
        tagsAfter: ByteBuffer = ByteBuffer(),
        opening: FragmentFlags = [],
        closing: FragmentFlags = []
    ) async throws -> FragmentRecord {
        let fragment = try await begin(index, tagsBefore: tagsBefore, flags: opening)
        try append(of: index, to: fragment)
        return try await fragment.finished(
            FragmentClosing(
                durationMilliseconds: duration(index),
                flags: closing,
                tagsAfter: tagsAfter
            )
        )
    }

    @discardableResult
    func sendAll() async throws -> [FragmentRecord] {
        var records: [FragmentRecord] = []
        for index in source.clusters.indices { records.append(try await send(index)) }
        return records
    }

    /// Sends a Cluster as our own cutter would write it, under our own header.
    @discardableResult
    func sendOwn(_ index: Int) async throws -> FragmentRecord {
        let cluster = source.clusters[index]
        let fragment = try await session.beginFragment(
            FragmentOpening(
                header: SegmentHeader(
                    bytes: DocumentHeaderWriter.encode(source.header.tracks),
                    kind: .own
                ),
                tracks: source.header.tracks.map {
                    SampleTrack(
                        number: $0.number,
                        timeBase: $0.timeBase,
                        codecSet: CodecSet.id(of: $0)
                    )
                },
                producer: producer(index),
                clockSource: .arrival,
                mediaTimeMilliseconds: Int64(cluster.timecode)
            )
        )
        try fragment.append(
            ClusterWriter.timecode(UInt64(producer(index).milliseconds)),
            nil,
            samples: []
        )
        for (bytes, samples) in cluster.children {
            for sample in samples {
                let head = ClusterWriter.simpleBlockHead(
                    track: sample.track,
                    offset: Int16(sample.timecode - Int64(cluster.timecode)),
                    isKeyframe: sample.isKeyframe,
                    payloadLength: sample.length
                )
                try fragment.append(
                    head,
                    bytes.getSlice(
                        at: bytes.readerIndex + sample.offset,
                        length: sample.length
                    ),
                    samples: [
                        SampleEntry(
                            track: sample.track,
                            offset: UInt64(head.readableBytes),
                            size: UInt32(sample.length),
                            dts: sample.timecode,
                            pts: sample.timecode,
                            isSync: sample.isKeyframe
                        )
                    ]
                )
            }
        }
        return try await fragment.finished(
            FragmentClosing(durationMilliseconds: duration(index))
        )
    }
}
