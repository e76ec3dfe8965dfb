package import NIOCore

/// Walks over the fragments of a log segment, from a given offset to its end.
///
/// Memory is bounded by one chunk and one sample table, whatever the Clusters' size.
package struct StoredFragmentScanner: Sendable {
    /// What stands at the offset reached.
    package enum Step: Equatable, Sendable {
        /// A whole fragment.
        case fragment(StoredFragment)

        /// Fragments that were deleted: one Void in their place.
        case deleted(offset: Int64, length: Int64)

        /// The file ends here, between two fragments.
        case end(offset: Int64)

        /// No whole fragment begins here: the file ends within it (`.truncated`) or the bytes are
        /// damaged. The scan does not go on.
        case torn(offset: Int64, why: MatroskaError)
    }

    /// Reads at most `length` bytes at `offset` of the log segment; fewer only at its end.
    package typealias Read = (_ offset: Int64, _ length: Int) throws -> ByteBuffer

    /// Where the next fragment begins.
    package private(set) var offset: Int64

    /// Whether every Cluster is read and compared with its CRC-32.
    ///
    /// Otherwise a look at its last byte has to do. Tags and tables are checked either way.
    package let checksClusters: Bool

    private let chunkLength: Int
    private var window: SegmentWindow

    /// - Parameters:
    ///   - offset: Where a fragment begins: the end of the header, or of any fragment.
    ///   - checksClusters: Whether to read the Clusters.
    ///   - chunkLength: How many bytes of a Cluster are read at a time.
    package init(offset: Int64, checksClusters: Bool = true, chunkLength: Int = 256 << 10) {
        self.offset = offset
        self.checksClusters = checksClusters
        self.chunkLength = max(1, chunkLength)
        window = SegmentWindow(readLength: 16 << 10)
    }

    /// The next fragment.
    ///
    /// - Parameter read: Reads the log segment.
    /// - Returns: What stands at ``offset``, which moves behind it.
    /// - Throws: Only what `read` throws; it must not throw ``MatroskaError``, which would count as
    ///   damage.
    package mutating func next(_ read: Read) throws -> Step {
        let start = offset
        do {
            return try step(read)
        } catch let error as MatroskaError {
            offset = start
            return .torn(offset: start, why: error)
        }
    }

    /// The next fragment of a log segment that lies in memory.
    mutating func next(in bytes: ByteBuffer) throws(MatroskaError) -> Step {
        do {
            return try next { offset, length in
                let present = max(0, bytes.readableBytes - Int(offset))
                let index = bytes.readerIndex + min(Int(offset), bytes.readableBytes)
                return bytes.getSlice(at: index, length: min(length, present)) ?? ByteBuffer()
            }
        } catch {
            throw MatroskaError(.invalidData, "Reading from memory failed: \(error)")
        }
    }

    private mutating func step(_ read: Read) throws -> Step {
        let start = try window.bytes(at: offset, length: ElementHead.lengthMax, read)
        if start.readableBytes == 0 { return .end(offset: offset) }
        guard case .head(let head) = try ElementHead.scan(start, offset: offset) else {
            throw SegmentWindow.truncated(offset + Int64(start.readableBytes))
        }
        guard let size = head.size else { throw ElementReader.unknownSize(head.id, offset) }
        let length = Int64(head.length) + size
        if head.id == .void {
            try checkReaches(offset + length, read)
            defer { offset += length }
            return .deleted(offset: offset, length: length)
        }
        guard head.id == .tags, length <= Int64(SampleTable.byteCountMax + 1024) else {
            throw damaged("Element \(head.id) of \(length) bytes stands where a fragment begins", 0)
        }
        return .fragment(try fragment(samplesTagsLength: Int(length), read))
    }

    private mutating func fragment(samplesTagsLength: Int, _ read: Read) throws -> StoredFragment {
        let samplesTags = try window.whole(at: offset, length: samplesTagsLength, read)
        let table = try SampleTable(tags: samplesTags)
        var at = offset + Int64(samplesTagsLength)
        let serverTags = try serverTags(at: at, read)
        let identity = try FragmentIdentity(serverTags: serverTags, at: at)
        guard identity.serverTimestamp == table.serverTimestamp,
            identity.producerTimestamp == table.producerTimestamp
        else { throw damaged("The server tags contradict the sample table", at - offset) }
        for length in [table.tagsBeforeLength, table.clusterLength, table.tagsAfterLength]
        where length > 1 << 48 {
            throw damaged("The sample table claims a part of \(length) bytes", 0)
        }
        var fragment = StoredFragment(
            number: identity.number,
            table: table,
            offset: offset,
            samplesTagsLength: Int64(samplesTagsLength),
            serverTagsLength: Int64(serverTags.readableBytes),
            fragmentCRC: 0
        )
        at += Int64(serverTags.readableBytes)
        var checksum = CRC32()
        checksum.update(samplesTags)
        checksum.update(serverTags)
        let tagsBefore = try checksumOfBytes(at: at, length: fragment.tagsBeforeLength, read)
        checksum.append(tagsBefore, length: fragment.tagsBeforeLength)
        try readCluster(of: fragment, &checksum, read)
        let tagsAfter = try checksumOfBytes(
            at: fragment.tagsAfterOffset,
            length: fragment.tagsAfterLength,
            read
        )
        checksum.append(tagsAfter, length: fragment.tagsAfterLength)
        var tags = CRC32(continuing: tagsBefore)
        tags.append(tagsAfter, length: fragment.tagsAfterLength)
        guard tags.value == table.tagsCRC else {
            throw MatroskaError(
                .checksumMismatch,
                "A fragment's producer tags do not match the CRC-32 in its sample table.",
                at: at
            )
        }
        fragment.fragmentCRC = checksum.value
        offset += fragment.length
        return fragment
    }

    private mutating func serverTags(at start: Int64, _ read: Read) throws -> ByteBuffer {
        let bytes = try window.bytes(at: start, length: ElementHead.lengthMax, read)
        guard case .head(let head) = try ElementHead.scan(bytes, offset: start) else {
            throw SegmentWindow.truncated(start + Int64(bytes.readableBytes))
        }
        guard head.id == .tags, let size = head.size, size <= 4096 else {
            throw damaged("Element \(head.id) stands in place of the server tags", start - offset)
        }
        return try window.whole(at: start, length: head.length + Int(size), read)
    }

    private mutating func readCluster(
        of fragment: StoredFragment,
        _ checksum: inout CRC32,
        _ read: Read
    ) throws {
        let start = fragment.clusterOffset
        let prefixLength = ClusterWriter.prefixLength
        let prefix = try window.whole(at: start, length: prefixLength, read)
        let dataLength = fragment.clusterLength - Int64(prefixLength)
        guard
            case .head(let head) = try ElementHead.scan(prefix, offset: start),
            head.id == .cluster, head.length == ClusterWriter.headLength,
            dataLength >= 0, head.size == dataLength + Int64(ClusterWriter.checksumLength),
            prefix.getInteger(at: prefix.readerIndex + head.length, as: UInt16.self) == 0xBF84,
            let stated = prefix.getInteger(
                at: prefix.readerIndex + head.length + 2,
                endianness: .little,
                as: UInt32.self
            )
        else {
            throw damaged(
                "No Cluster of \(fragment.clusterLength) bytes with a CRC-32 stands where the sample table says",
                start - offset
            )
        }
        if checksClusters {
            let found = try checksumOfBytes(
                at: start + Int64(prefixLength),
                length: dataLength,
                read
            )
            guard found == stated else {
                throw Element.mismatch(of: .cluster, stated, found, start)
            }
        } else {
            try checkReaches(fragment.tagsAfterOffset, read)
        }
        checksum.update(prefix)
        checksum.append(stated, length: dataLength)
    }

    /// The CRC-32 of a stretch of the file, read chunk by chunk.
    private func checksumOfBytes(at start: Int64, length: Int64, _ read: Read) throws -> UInt32 {
        var checksum = CRC32()
        var done: Int64 = 0
        while done < length {
            let wanted = Int(min(Int64(chunkLength), length - done))
            let chunk = try read(start + done, wanted)
            checksum.update(chunk)
            done += Int64(chunk.readableBytes)
            if chunk.readableBytes < wanted { throw SegmentWindow.truncated(start + done) }
        }
        return checksum.value
    }

    /// Sees to it that the file reaches up to an offset.
    private func checkReaches(_ end: Int64, _ read: Read) throws {
        if try read(end - 1, 1).readableBytes == 0 { throw SegmentWindow.truncated(end - 1) }
    }

    private func damaged(_ found: String, _ relative: Int64) -> MatroskaError {
        MatroskaError(.invalidData, "\(found).", at: offset + relative)
    }
}
