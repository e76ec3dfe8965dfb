import MediaModel
import NIOCore
import Testing

@testable import Matroska

struct TagsWriterTests {
    static let number = FragmentNumber(
        sequence: 7,
        serverMilliseconds: 1_511_852_109_126,
        random: 1
    )

    private static func tag(_ simpleTags: [Bytes]) -> Bytes {
        element(0x7373, [0x63, 0xC0, 0x80] + simpleTags.flatMap { $0 }, sizeWidth: 4)
    }

    private static func simple(_ name: String, _ value: String) -> Bytes {
        element(0x67C8, text(0x45A3, name) + text(0x4487, value), sizeWidth: 4)
    }

    @Test func `server tags are number and timestamps behind a checksum`() {
        let body = Self.tag([
            Self.simple("AWS_KINESISVIDEO_FRAGMENT_NUMBER", Self.number.description),
            Self.simple("AWS_KINESISVIDEO_SERVER_TIMESTAMP", "1511852109.126"),
            Self.simple("AWS_KINESISVIDEO_PRODUCER_TIMESTAMP", "1511852108.513"),
        ])
        let bytes = TagsWriter.server(
            number: Self.number,
            serverTimestamp: Timestamp(milliseconds: 1_511_852_109_126),
            producerTimestamp: Timestamp(milliseconds: 1_511_852_108_513)
        )
        #expect(bytes.array == element(0x1254_C367, crcElement(body) + body, sizeWidth: 4))
    }

    @Test func `the sample table stands in a binary tag and is known by its first bytes`() {
        for length in [1, 200, 20_000] {
            let table = Bytes(repeating: 7, count: length)
            let body = Self.tag([
                element(
                    0x67C8,
                    text(0x45A3, "KINELOG_SAMPLES") + element(0x4485, table),
                    sizeWidth: 4
                )
            ])
            let bytes = TagsWriter.samples(table: table.buffer)
            #expect(bytes.array == element(0x1254_C367, crcElement(body) + body, sizeWidth: 4))
            #expect(TagsWriter.isSamples(bytes))
        }
        #expect(!TagsWriter.isSamples(TagsWriter.plain([TagItem(name: "a", value: "b")])))
    }

    @Test func `trailing tags carry lag and token`() throws {
        let bytes = TagsWriter.trailing(millisBehindNow: 15_858, continuationToken: Self.number)
        #expect(
            try TagItem.items(in: bytes) == [
                TagItem(name: "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW", value: "15858"),
                TagItem(
                    name: "AWS_KINESISVIDEO_CONTINUATION_TOKEN",
                    value: Self.number.description
                ),
            ]
        )
    }

    @Test func `an error is a document of its own without a server timestamp`() throws {
        let bytes = TagsWriter.errorDocument(fragmentNumber: "12", id: 4000, code: "GONE")
        var rest = bytes
        let ebml = DocumentHeaderWriter.encode([]).array.prefix(43)
        #expect(rest.readBytes(length: 43) == Bytes(ebml))
        #expect(rest.readBytes(length: 12) == Bytes(hex: "18538067 01FFFFFFFFFFFFFF"))
        #expect(
            try TagItem.items(in: rest) == [
                TagItem(name: "AWS_KINESISVIDEO_FRAGMENT_NUMBER", value: "12"),
                TagItem(name: "AWS_KINESISVIDEO_ERROR_ID", value: "4000"),
                TagItem(name: "AWS_KINESISVIDEO_ERROR_CODE", value: "GONE"),
            ]
        )
    }

    @Test func `a producer's tags are read back from several elements`() throws {
        let items = [TagItem(name: "door", value: "open"), TagItem(name: "löß", value: "")]
        let bytes =
            TagsWriter.plain(items).array
            + TagsWriter.plain([TagItem(name: "raw", value: "", isBinary: true)]).array
        #expect(try TagItem.items(in: bytes.buffer) == items)
        #expect(throws: MatroskaError.self) {
            try TagItem.items(in: bytes.dropLast(1).map { $0 }.buffer)
        }
        #expect(throws: MatroskaError.self) { try TagItem.items(in: element(0xEC, [1]).buffer) }
    }

    @Test(arguments: [
        ("AWS_KINESISVIDEO_FRAGMENT_NUMBER", true), ("KINELOG_SAMPLES", true),
        ("AWS_KINESISVIDEO_END_OF_FRAGMENT", false), ("AWS_KINESISVIDEO_NOTIFICATION", false),
        ("door", false),
    ])
    func `names that only the server may write are known`(name: String, isReserved: Bool) {
        #expect(TagItem(name: name, value: "").isReservedForServer == isReserved)
    }
}
