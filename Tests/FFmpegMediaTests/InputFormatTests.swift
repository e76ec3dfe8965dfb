import FFmpegMedia
import NIOCore
import TestSupport
import Testing

struct InputFormatTests {
    private static let transportStream = (0..<3).flatMap { _ in
        [0x47] + [UInt8](repeating: 0xFF, count: 187)
    }

    @Test(arguments: Container.allCases, SampleMedia.all)
    func `real media is recognised by its first bytes`(
        container: Container,
        media: SampleMedia
    ) async throws {
        let bytes = try await container.fixture(of: media).bytes
        #expect(InputFormat.sniff(bytes) == container.format)
        let first = try #require(
            bytes.getSlice(at: bytes.readerIndex, length: InputFormat.signatureByteCount)
        )
        #expect(InputFormat.signature(of: first) == .format(container.format))
    }

    @Test(
        arguments: [
            ("1A45DFA3", InputFormat.matroska), ("464C5601", .flv), ("4F67675300", .ogg),
            ("00000018 66747970", .mp4), ("00000018 73747970", .mp4), ("00000018 6D6F6F66", .mp4),
            ("FFF14C80 01 1FFC 00 FFF1", .adts),
        ]
    )
    func `a signature settles the format as soon as it is there`(hex: String, format: InputFormat) {
        let bytes = [UInt8](hex: hex)
        for count in 0..<bytes.count {
            #expect(InputFormat.signature(of: ByteBuffer(bytes: bytes.prefix(count))) == .undecided)
        }
        #expect(InputFormat.signature(of: ByteBuffer(bytes: bytes)) == .format(format))
    }

    @Test func `three sync bytes make a transport stream`() {
        let bytes = Self.transportStream
        #expect(InputFormat.signatureByteCount == 377)
        for count in [1, 188, 189, 376] {
            let first = ByteBuffer(bytes: bytes.prefix(count))
            #expect(InputFormat.signature(of: first) == .undecided)
        }
        #expect(InputFormat.sniff(ByteBuffer(bytes: bytes.prefix(377))) == .mpegTS)
        // A body of one or two packets is complete without a third.
        #expect(InputFormat.sniff(ByteBuffer(bytes: bytes.prefix(188))) == .mpegTS)
        #expect(InputFormat.sniff(ByteBuffer(bytes: bytes.prefix(187))) == nil)
        for index in [0, 188, 376] {
            var other = bytes
            other[index] = 0x48
            #expect(InputFormat.signature(of: ByteBuffer(bytes: other)) == .unknown)
        }
    }

    @Test(
        arguments: [
            "", "G", "#EXTM3U\n#EXT-X-VERSION:3\n", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
            "ffconcat version 1.0\nfile /etc/passwd\n", "<?xml version=\"1.0\"?><MPD/>",
            "RIFF\0\0\0\0AVI ",
            "{\"a\":1}", "ID3\u{3}\0\0\0\0\0\0", "FLV\u{2}", "\0\0\0\u{18}free",
        ]
    )
    func `everything else is unknown`(text: String) {
        #expect(InputFormat.sniff(ByteBuffer(string: text)) == nil)
        let padded = ByteBuffer(string: text + String(repeating: " ", count: 400))
        #expect(InputFormat.signature(of: padded) == .unknown)
    }

    @Test(
        arguments: [
            ("video/mp2t", InputFormat.mpegTS), ("Video/MP2T; charset=x", .mpegTS),
            ("video/x-matroska", .matroska), ("video/webm;codecs=\"vp9\"", .matroska),
            ("audio/webm", .matroska), ("video/x-flv", .flv), (" video/mp4 ", .mp4),
            ("audio/mp4", .mp4), ("audio/ogg", .ogg), ("audio/aac", .adts),
        ]
    )
    func `a media type names the format`(mediaType: String, format: InputFormat) {
        #expect(InputFormat(mediaType: mediaType) == format)
    }

    @Test(
        arguments: [
            "", "application/octet-stream", "application/vnd.apple.mpegurl", "text/plain", "video/",
            "application/sdp", "application/x-www-form-urlencoded", "video/mp2tx",
        ]
    )
    func `other media types name none`(mediaType: String) {
        #expect(InputFormat(mediaType: mediaType) == nil)
    }
}
