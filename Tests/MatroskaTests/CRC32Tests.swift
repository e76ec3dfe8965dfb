import Matroska
import NIOCore
import Testing

struct CRC32Tests {
    @Test func `the check value is that of the polynomial`() {
        #expect(CRC32.of(ByteBuffer(string: "123456789")) == 0xCBF4_3926)
        #expect(CRC32.of(ByteBuffer()) == 0)
    }

    @Test(arguments: [0, 1, 7, 8, 9])
    func `pieces and combination give what one go gives`(split: Int) {
        let whole = ByteBuffer(string: "123456789")
        let first = whole.getSlice(at: 0, length: split) ?? ByteBuffer()
        let second = whole.getSlice(at: split, length: 9 - split) ?? ByteBuffer()
        var running = CRC32()
        running.update(first)
        running.update(second)
        #expect(running.value == 0xCBF4_3926)
        #expect(
            CRC32.combine(
                CRC32.of(first),
                CRC32.of(second),
                lengthOfSecond: Int64(second.readableBytes)
            ) == 0xCBF4_3926
        )
    }
}
