import Synchronization
import Matroska
import MediaModel
import NIOCore

/// The bytes of one stored fragment, ready to append, and what the index says of it.
struct StoredBytes {
    /// Everything before the children: sample table, server tags, tags before, Cluster prefix.
    var head: ByteBuffer
    /// Children in the spill file, from its first byte.
    var spilled: (file: OpenFile, length: UInt64)?
    /// Children in memory, which follow the spilled ones.
    var slabs: [ByteBuffer]
    /// Tags sent after the Cluster.
    var tail: ByteBuffer
    /// The index record; its offset is where the bytes are to be written.
    var record: FragmentRecord

    /// Puts a fragment that has ended together.
    ///
    /// - Returns: `nil` when there is nothing to keep.
    init?(
        _ fragment: OpenFragment,
        segment: SegmentID,
        ordinal: UInt64,
        offset: UInt64
    )
        throws(LogError)
    {
        let content = fragment.content.withLock { $0 }
        guard let closing = content.closing, content.length > 0, !content.samples.isEmpty else {
            return nil
        }
        let opening = fragment.opening
        var samples = content.samples
        if let times = closing.decodeTimes {
            guard times.count == samples.count else {
                throw LogError(
                    .invalidArgument,
                    "Fragment \(fragment.number) was ended with \(times.count) decode times for \(samples.count) samples."
                )
            }
            for index in samples.indices { samples[index].dts = times[index] }
        }
        var flags = opening.flags.union(closing.flags)
        if opening.tagsBefore.readableBytes + closing.tagsAfter.readableBytes > 0 {
            flags.insert(.tags)
        }
        let table = SampleTable(
            ordinal: ordinal,
            session: fragment.session,
            producerTimestamp: opening.producer,
            serverTimestamp: fragment.server,
            durationMilliseconds: UInt64(closing.durationMilliseconds),
            clockSource: opening.clockSource,
            clockErrorMilliseconds: UInt64(opening.clockErrorMilliseconds),
            flags: flags,
            mediaTimeMilliseconds: opening.mediaTimeMilliseconds,
            tracks: opening.tracks,
            samples: samples
        )
        let frame: StoredFragmentFrame
        do throws(MatroskaError) {
            // One pass over the media was made when it arrived; its CRC is combined in here.
            frame = try StoredFragmentFrame(
                number: fragment.number,
                table: table,
                tagsBefore: opening.tagsBefore,
                childrenLength: content.length,
                childrenCRC: content.crc.value,
                tagsAfter: closing.tagsAfter
            )
        } catch {
            throw LogError(
                .invalidArgument,
                "The sample table of fragment \(fragment.number) cannot be written: its samples overlap or their times run out of range.",
                cause: error
            )
        }
        head = frame.head
        tail = frame.tail
        spilled = content.spillFile.map { ($0, UInt64(content.slabStart)) }
        slabs = content.slabs
        record = FragmentRecord(frame.fragment, segment: segment)
        record.offset = offset
    }
}
