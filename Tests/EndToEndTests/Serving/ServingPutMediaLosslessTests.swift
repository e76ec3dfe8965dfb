import NIOCore
import TestSupport
import Testing

/// What PutMedia sent comes back from GetMedia byte for byte.
@Suite struct ServingPutMediaLosslessTests {
    /// How a producer may write the size of its Segment.
    enum SegmentSize: CaseIterable {
        case unknown
        case unknownInOneByte
        case known
    }

    /// A body of real Clusters with Tags in the header, before and after Clusters.
    private struct Body {
        var header: [ByteBuffer]
        var start: ByteBuffer
        var bytes: ByteBuffer
        /// Of each fragment: Tags before its Cluster, the Cluster's children that are kept, Tags
        /// behind it.
        var fragments: [(before: [ByteBuffer], children: [ByteBuffer], after: [ByteBuffer])] = []

        init(_ media: ByteBuffer, _ size: SegmentSize) throws {
            let source = try MatroskaDocument.all(in: media)[0]
            header = source.header.map(\.bytes)
            header.append(Self.tags("SITE", "north"))
            start = source.start
            var content = ByteBuffer()
            for part in header { content.writeImmutableBuffer(part) }
            var before: [ByteBuffer] = []
            for (index, cluster) in source.clusters.enumerated() {
                var after: [ByteBuffer] = []
                // Two elements behind every second Cluster, the marker of its end behind all but
                // the first: what follows that belongs to the next.
                if index % 2 == 1 { after = [Self.tags("A", "\(index)"), Self.tags("B", "b")] }
                if index > 0 { after.append(ByteBuffer(bytes: ProducerBytes.endOfFragment)) }
                let next = index > 0 ? [Self.tags("BEFORE", "\(index + 1)")] : []
                content.writeImmutableBuffer(try Self.written(cluster, index))
                for part in after + next { content.writeImmutableBuffer(part) }
                fragments.append((before, try Self.kept(cluster), after))
                before = next
            }
            bytes = start
            switch size {
            case .unknown: bytes.writeBytes([0x01] + [UInt8](repeating: 0xFF, count: 7))
            case .unknownInOneByte: bytes.writeInteger(UInt8(0xFF))
            case .known: bytes.writeInteger(UInt64(content.readableBytes) | 1 << 56)
            }
            bytes.writeImmutableBuffer(content)
        }

        private static func tags(_ name: String, _ value: String) -> ByteBuffer {
            ByteBuffer(bytes: ProducerBytes.tags([(name, value)]))
        }

        /// A Cluster as one of three kinds of producers writes it.
        private static func written(_ cluster: EBMLElement, _ index: Int) throws -> ByteBuffer {
            // Its checksum, which ffmpeg writes, would not be right any more.
            var children = try cluster.children.filter { $0.id != MatroskaID.crc32 }.map {
                Array($0.bytes.readableBytesView)
            }
            switch index % 3 {
            case 0: return cluster.bytes
            case 1:
                return ByteBuffer(
                    bytes: ProducerBytes.id(MatroskaID.cluster) + [0xFF] + children.flatMap { $0 }
                )
            default:
                children.insert(ProducerBytes.unsigned(MatroskaID.position, 4711), at: 1)
                children.insert(ProducerBytes.unsigned(MatroskaID.previousSize, 1), at: 2)
                children.append(ProducerBytes.element(MatroskaID.void, [1, 2, 3]))
                return ByteBuffer(
                    bytes: ProducerBytes.element(MatroskaID.cluster, children.flatMap { $0 })
                )
            }
        }

        /// The children of a Cluster that must come back.
        static func kept(_ cluster: EBMLElement) throws -> [ByteBuffer] {
            let dropped = [
                MatroskaID.crc32, MatroskaID.position, MatroskaID.previousSize, MatroskaID.void,
            ]
            return try cluster.children.filter { !dropped.contains($0.id) }.map(\.bytes)
        }
    }

    @Test(arguments: SegmentSize.allCases)
    func `header, Clusters and Tags come back byte for byte`(size: SegmentSize) async throws {
        let directory = try TemporaryDirectory()
        let server = try await ServerProcess.start(directory.path, "--get-media-silence", "100ms")
        _ = try await server.request(
            "POST",
            "/createStream",
            text: #"{"StreamName":"cam","DataRetentionInHours":24}"#
        )
        let media = try await Footage.clusters()
        let body = try Body(media, size)
        #expect(body.fragments.count == SampleMedia.visitor.syncSamples.count)
        let put = try await server.request(
            "POST",
            "/putMedia",
            headers: [
                "x-amzn-stream-name: cam", "x-amzn-fragment-timecode-type: RELATIVE",
                "x-amzn-producer-start-timestamp: 1767225600.000",
            ],
            body: body.bytes
        )
        #expect(put.text.matches(of: #/"PERSISTED"/#).count == body.fragments.count)
        #expect(!put.text.contains("ERROR"), "\(put.text)")

        let got = try await server.request(
            "POST",
            "/getMedia",
            text: #"{"StreamName":"cam","StartSelector":{"StartSelectorType":"EARLIEST"}}"#
        )
        let documents = try MatroskaDocument.all(in: got.body)
        #expect(documents.count == body.fragments.count)
        for (document, fragment) in zip(documents, body.fragments) {
            #expect(document.start == body.start)
            #expect(
                Array(document.segmentSize.readableBytesView)
                    == [0x01] + [UInt8](repeating: 0xFF, count: 7)
            )
            var children = document.children[...]
            #expect(children.prefix(body.header.count).map(\.bytes) == body.header)
            children = children.dropFirst(body.header.count)
            let server = try #require(children.first)
            children.removeFirst()
            #expect(String(buffer: server.bytes).contains("AWS_KINESISVIDEO_FRAGMENT_NUMBER"))
            #expect(children.prefix(fragment.before.count).map(\.bytes) == fragment.before)
            children = children.dropFirst(fragment.before.count)
            let cluster = try #require(children.first)
            children.removeFirst()
            #expect(cluster.id == MatroskaID.cluster)
            #expect(try cluster.children.first?.id == MatroskaID.crc32)
            #expect(try Body.kept(cluster) == fragment.children)
            #expect(children.prefix(fragment.after.count).map(\.bytes) == fragment.after)
            children = children.dropFirst(fragment.after.count)
            let trailing = try #require(children.first)
            children.removeFirst()
            #expect(String(buffer: trailing.bytes).contains("AWS_KINESISVIDEO_CONTINUATION_TOKEN"))
            #expect(children.isEmpty)
        }

        let expected = try await Decoded(media)
        let range = try await server.request(
            "GET",
            "/v1/streams/cam/media?from=earliest&to=1767225700000"
        )
        let found = try await Decoded(range.body)
        #expect(found.difference(from: expected) == nil)
        #expect(found.complaints == "")
    }
}
