import NIOCore

/// Reads a log segment through a closure, keeping what was read last.
struct SegmentWindow {
    /// How the file is read.
    typealias Read = StoredFragmentScanner.Read

    /// How many bytes one read asks for where less is needed.
    let readLength: Int

    private var start: Int64 = 0
    private var bytes = ByteBuffer()

    init(readLength: Int) {
        self.readLength = readLength
    }

    /// The bytes at an offset: `length` of them, fewer only at the end of the file.
    mutating func bytes(at offset: Int64, length: Int, _ read: Read) throws -> ByteBuffer {
        if let present = present(at: offset, length: length) { return present }
        bytes = try read(offset, max(length, readLength))
        start = offset
        return present(at: offset, length: min(length, bytes.readableBytes)) ?? ByteBuffer()
    }

    /// The bytes at an offset, all of them.
    ///
    /// - Throws: `.truncated` when the file ends before that; what `read` throws.
    mutating func whole(at offset: Int64, length: Int, _ read: Read) throws -> ByteBuffer {
        let found = try bytes(at: offset, length: length, read)
        guard found.readableBytes == length else {
            throw Self.truncated(offset + Int64(found.readableBytes))
        }
        return found
    }

    /// What to say when the file ends too early.
    static func truncated(_ end: Int64) -> MatroskaError {
        MatroskaError(.truncated, "The log segment ends within a fragment.", at: end)
    }

    private func present(at offset: Int64, length: Int) -> ByteBuffer? {
        guard offset >= start, let index = Int(exactly: offset - start),
            index <= bytes.readableBytes
        else { return nil }
        return bytes.getSlice(at: bytes.readerIndex + index, length: length)
    }
}
