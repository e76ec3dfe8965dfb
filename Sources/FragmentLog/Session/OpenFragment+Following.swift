package import NIOCore
import Synchronization

/// Live readers: bytes as they arrive, then from the disk.
extension OpenFragment {
    /// Reads children bytes of the Cluster as they arrive.
    ///
    /// - Parameters:
    ///   - offset: Counted from the first kept child's first byte, after the CRC-32 element.
    ///   - limit: The most bytes wanted at once.
    /// - Returns: Once there are bytes at the offset, or once the fragment has ended.
    /// - Throws: `.shuttingDown` when the task was cancelled; `.ioError`, `.gone`.
    package func read(from offset: Int, atMost limit: Int) async throws(LogError) -> LiveBytes {
        while true {
            let seen = changes.version
            switch available(from: offset, atMost: limit) {
            case .now(let bytes):
                return bytes
            case .spilled(let file, let length, let state, let total):
                let bytes = try await stream.log.readPool.run { () throws(LogError) in
                    try file.read(at: UInt64(offset), length: length)
                }
                return LiveBytes(bytes: bytes, state: state, childrenLength: total)
            case .stored(let record, let state, let total):
                let bytes = try await stream.read(
                    record,
                    clusterChildrenFrom: offset,
                    length: min(limit, total - offset)
                )
                return LiveBytes(bytes: bytes, state: state, childrenLength: total)
            case .later:
                await changes.wait(beyond: seen)
                if Task.isCancelled {
                    throw LogError(.shuttingDown, "Following fragment \(number) was cancelled.")
                }
            }
        }
    }

    /// The record, once the fragment is durable; `nil` when it ended otherwise.
    ///
    /// Waits for either.
    package func recordWhenDurable() async -> FragmentRecord? {
        while !Task.isCancelled {
            let seen = changes.version
            let (record, over) = content.withLock { content -> (FragmentRecord?, Bool) in
                if case .failed = content.state { return (nil, true) }
                return (content.record, content.record != nil)
            }
            if over { return record }
            await changes.wait(beyond: seen)
        }
        return nil
    }

    /// The Tags elements that followed the Cluster; empty before the fragment has ended.
    package var tagsAfter: ByteBuffer {
        content.withLock { $0.closing?.tagsAfter ?? ByteBuffer() }
    }

    private enum Availability {
        case now(LiveBytes)
        case spilled(OpenFile, length: Int, state: State, total: Int)
        case stored(FragmentRecord, state: State, total: Int)
        case later
    }

    private func available(from offset: Int, atMost limit: Int) -> Availability {
        content.withLock { content in
            if case .failed = content.state {
                return .now(
                    LiveBytes(
                        bytes: ByteBuffer(),
                        state: content.state,
                        childrenLength: content.length
                    )
                )
            }
            guard offset < content.length else {
                if case .open = content.state { return .later }
                return .now(
                    LiveBytes(
                        bytes: ByteBuffer(),
                        state: content.state,
                        childrenLength: content.length
                    )
                )
            }
            if let record = content.record {
                return .stored(record, state: content.state, total: content.length)
            }
            if offset < content.slabStart, let file = content.spillFile {
                return .spilled(
                    file,
                    length: min(limit, content.slabStart - offset),
                    state: content.state,
                    total: content.length
                )
            }
            var result = ByteBuffer()
            var position = content.slabStart
            for slab in content.slabs {
                let end = position + slab.readableBytes
                if end > offset {
                    let begin = max(offset - position, 0)
                    let length = min(slab.readableBytes - begin, limit - result.readableBytes)
                    // Copied, so that no reader shares storage that the producer goes on writing.
                    if let slice = slab.getSlice(at: slab.readerIndex + begin, length: length) {
                        result.writeImmutableBuffer(slice)
                    }
                    if result.readableBytes >= limit { break }
                }
                position = end
            }
            return .now(
                LiveBytes(bytes: result, state: content.state, childrenLength: content.length)
            )
        }
    }
}
