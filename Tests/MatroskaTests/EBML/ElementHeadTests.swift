import NIOCore
import Testing

@testable import Matroska

struct ElementHeadTests {
    @Test(arguments: [
        ("EC 80", 0xEC, 0, 2),
        ("A3 85", 0xA3, 5, 2),
        ("A3 40 7F", 0xA3, 127, 3),
        ("42 86 81", 0x4286, 1, 3),
        ("2A D7 B1 88", 0x2AD7B1, 8, 4),
        ("12 54 C3 67 10 00 00 05", 0x1254_C367, 5, 8),
        ("A3 01 00 00 00 00 00 00 05", 0xA3, 5, 9),
        ("A3 01 FF FF FF FF FF FF FE", 0xA3, (1 << 56) - 2, 9),
    ])
    func `a head of known size is read`(
        hex: String,
        id: UInt32,
        size: Int64,
        length: Int
    ) throws {
        let found = try ElementHead.scan(Bytes(hex: hex).buffer, offset: 0)
        #expect(found == .head(ElementHead(id: ElementID(id), size: size, length: length)))
    }

    @Test(arguments: ["1F43B675 FF", "18538067 01FFFFFFFFFFFFFF", "EC 7FFF"])
    func `a size of all ones is unknown`(hex: String) throws {
        guard case .head(let head) = try ElementHead.scan(Bytes(hex: hex).buffer, offset: 0) else {
            Issue.record("no head")
            return
        }
        #expect(head.size == nil)
    }

    @Test func `every cut of a head says how many bytes tell more`() throws {
        let bytes = Bytes(hex: "1254C367 10000005")
        let needs = try (0..<8).map { try ElementHead.scan(Bytes(bytes[..<$0]).buffer, offset: 0) }
        #expect(
            needs == [1, 4, 4, 4, 5, 8, 8, 8].map { ElementHead.Scan.needs($0) }
        )
    }

    @Test(arguments: ["00", "08 00 00 00 00", "80 81", "FF 81", "7F FF 81", "EC 00"])
    func `a bad id or size is refused with its place`(hex: String) {
        #expect(throws: MatroskaError.self) {
            try ElementHead.scan(Bytes(hex: hex).buffer, offset: 42)
        }
        do throws(MatroskaError) {
            _ = try ElementHead.scan(Bytes(hex: hex).buffer, offset: 42)
        } catch {
            #expect(error.code == .invalidData)
            #expect(error.byteOffset == 42)
        }
    }

    @Test(arguments: [0, 1, 126, 127, 16_382, 16_383, 1 << 27, (1 << 56) - 2])
    func `a written size is read back`(value: Int) throws {
        var bytes = ByteBuffer()
        bytes.write(.void)
        bytes.writeElementSize(value)
        #expect(bytes.array == id(0xEC) + size(value))
        guard case .head(let head) = try ElementHead.scan(bytes, offset: 0) else {
            Issue.record("no head")
            return
        }
        #expect(head.size == Int64(value))
    }

    @Test func `a master that outgrows four bytes of size takes eight`() throws {
        let length = 0x0FFF_FFFF
        var bytes = ByteBuffer()
        bytes.writeMaster(.tags) { $0.writeRepeatingByte(7, count: length) }
        #expect(bytes.readableBytes == length + 12)
        #expect(bytes.readBytes(length: 13) == id(0x1254_C367) + size(length, width: 8) + [7])
    }
}
