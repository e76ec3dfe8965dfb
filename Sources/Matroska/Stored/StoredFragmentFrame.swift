package import MediaModel
package import NIOCore

/// Everything of a stored fragment but the Cluster's children: what is written is `head`, the
/// children, `tail`.
package struct StoredFragmentFrame: Equatable, Sendable {
    /// Sample table, server tags, the producer's Tags before, and the Cluster up to its first kept
    /// child.
    package var head: ByteBuffer

    /// The producer's Tags after.
    package var tail: ByteBuffer

    /// The fragment as reading it back will give it, at offset zero.
    package var fragment: StoredFragment

    /// Frames the children of a Cluster.
    ///
    /// - Parameters:
    ///   - number: The fragment's number.
    ///   - table: Its sample table; the lengths and the tags' CRC-32 are filled in here. Offsets of
    ///     samples count from the Cluster's data, so that the first child lies at
    ///     ``ClusterWriter/checksumLength``.
    ///   - tagsBefore: The producer's Tags elements to store before the Cluster.
    ///   - childrenLength: Bytes of the Cluster's children.
    ///   - childrenCRC: Their CRC-32.
    ///   - tagsAfter: The producer's Tags elements to store after the Cluster.
    /// - Throws: `.invalidTable` for a table that could not be read back.
    package init(
        number: FragmentNumber,
        table: SampleTable,
        tagsBefore: ByteBuffer = ByteBuffer(),
        childrenLength: Int,
        childrenCRC: UInt32,
        tagsAfter: ByteBuffer = ByteBuffer()
    ) throws(MatroskaError) {
        var table = table
        table.tagsBeforeLength = UInt64(tagsBefore.readableBytes)
        table.clusterLength = UInt64(ClusterWriter.prefixLength + childrenLength)
        table.tagsAfterLength = UInt64(tagsAfter.readableBytes)
        var tagsChecksum = CRC32()
        tagsChecksum.update(tagsBefore)
        tagsChecksum.update(tagsAfter)
        table.tagsCRC = tagsChecksum.value

        head = TagsWriter.samples(table: try table.encode())
        let samplesTagsLength = head.readableBytes
        head.writeImmutableBuffer(
            TagsWriter.server(
                number: number,
                serverTimestamp: table.serverTimestamp,
                producerTimestamp: table.producerTimestamp
            )
        )
        let serverTagsLength = head.readableBytes - samplesTagsLength
        head.writeImmutableBuffer(tagsBefore)
        head.writeImmutableBuffer(
            ClusterWriter.prefix(childrenLength: childrenLength, crc: childrenCRC)
        )
        tail = tagsAfter
        var checksum = CRC32()
        checksum.update(head)
        checksum.append(childrenCRC, length: Int64(childrenLength))
        checksum.update(tail)
        fragment = StoredFragment(
            number: number,
            table: table,
            offset: 0,
            samplesTagsLength: Int64(samplesTagsLength),
            serverTagsLength: Int64(serverTagsLength),
            fragmentCRC: checksum.value
        )
    }
}
