package import MediaModel
package import NIOCore

/// Writes Tags elements (RFC 9559, 5.1.8).
package enum TagsWriter {
    /// The first part of a stored fragment: its sample table in a binary tag.
    ///
    /// - Parameter table: The bytes of ``SampleTable/encode()``; below 2^28 - 64.
    /// - Returns: A Tags element that begins with a CRC-32.
    package static func samples(table: ByteBuffer) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(table.readableBytes + 64)
        bytes.writeMaster(.tags, hasChecksum: true) { tags in
            tags.writeTag { tag in
                tag.writeMaster(.simpleTag) { simple in
                    simple.writeElement(.tagName, text: TagItem.samplesName)
                    simple.writeElement(.tagBinary, bytes: table)
                }
            }
        }
        return bytes
    }

    /// How many bytes tell that a Tags element is the first part of a stored fragment.
    static let samplesStartLength = 32 + TagItem.samplesName.utf8.count

    /// Whether a Tags element is the first part of a stored fragment, by its first
    /// ``samplesStartLength`` bytes: heads of Tags, CRC-32, Tag, Targets, SimpleTag and TagName
    /// always take 32.
    static func isSamples(_ start: ByteBuffer) -> Bool {
        ElementHead.id(in: start) == .tags
            && start.getString(
                at: start.readerIndex + 32,
                length: TagItem.samplesName.utf8.count
            ) == TagItem.samplesName
    }

    /// The second part of a stored fragment, and the first that GetMedia serves (KVS 3.3).
    ///
    /// - Returns: A Tags element that begins with a CRC-32; its length depends only on the number
    ///   of digits of the timestamps.
    package static func server(
        number: FragmentNumber,
        serverTimestamp: Timestamp,
        producerTimestamp: Timestamp
    ) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeMaster(.tags, hasChecksum: true) { tags in
            tags.writeTag { tag in
                tag.writeSimpleTag(TagItem.fragmentNumberName, number.description)
                tag.writeSimpleTag(TagItem.serverTimestampName, serverTimestamp.secondsText)
                tag.writeSimpleTag(TagItem.producerTimestampName, producerTimestamp.secondsText)
            }
        }
        return bytes
    }

    /// One Tags element with the tags of a producer that does not send Matroska; binary ones are
    /// left out.
    package static func plain(_ items: [TagItem]) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeMaster(.tags) { tags in
            tags.writeTag { tag in
                for item in items where !item.isBinary { tag.writeSimpleTag(item.name, item.value) }
            }
        }
        return bytes
    }

    /// What GetMedia adds after a fragment (KVS 3.3).
    ///
    /// - Parameters:
    ///   - millisBehindNow: Distance to the newest fragment; zero when caught up.
    ///   - continuationToken: The fragment's number.
    /// - Returns: One Tags element.
    package static func trailing(
        millisBehindNow: Int64,
        continuationToken: FragmentNumber
    ) -> ByteBuffer {
        plain([
            TagItem(name: TagItem.millisBehindNowName, value: String(millisBehindNow)),
            TagItem(name: TagItem.continuationTokenName, value: continuationToken.description),
        ])
    }

    /// A document of its own that reports an error after the response has begun (KVS 3.4).
    ///
    /// - Parameters:
    ///   - fragmentNumber: The failing fragment, as the client or the store names it.
    ///   - id: Such as 3002.
    ///   - code: The error's name.
    /// - Returns: EBML header, Segment of unknown size and Tags.
    package static func errorDocument(
        fragmentNumber: String,
        id: Int,
        code: String
    ) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeEBMLHeader()
        bytes.writeSegmentHead()
        bytes.writeImmutableBuffer(
            plain([
                TagItem(name: TagItem.fragmentNumberName, value: fragmentNumber),
                TagItem(name: TagItem.errorIDName, value: String(id)),
                TagItem(name: TagItem.errorCodeName, value: code),
            ])
        )
        return bytes
    }
}
