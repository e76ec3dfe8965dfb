import CLinux
import Catalog
import Glibc
import Logging
import MediaModel
import NIOCore
import Synchronization

/// Log segments as two files each in the directory of their stream.
final class LocalSegmentStore: SegmentStore {
    private let streams: String
    private let descriptors: DescriptorCache
    private let logger: Logger
    /// What the volume said last, and when in milliseconds since boot: asked for each fragment, it
    /// changes little in a tenth of a second.
    private let available = Mutex<(at: Int64, bytes: Int64)?>(nil)

    /// A store in the directory that holds the streams' directories.
    ///
    /// - Parameters:
    ///   - streams: The directory.
    ///   - descriptorsMax: Files kept open for reading between uses.
    ///   - logger: Told what recovery cuts and finds damaged.
    init(streams: String, descriptorsMax: Int, logger: Logger) {
        self.streams = streams
        self.logger = logger
        descriptors = DescriptorCache(limit: descriptorsMax)
    }

    var availableBytes: Int64? {
        let now = kl_boot_milliseconds()
        if let known = available.withLock({ $0 }), now - known.at < 100 { return known.bytes }
        let bytes = unsafe kl_available_bytes(streams)
        guard bytes >= 0 else { return nil }
        available.withLock { $0 = (now, bytes) }
        return bytes
    }

    func create(
        _ id: SegmentID,
        header: SegmentHeader,
        firstOrdinal: UInt64
    ) throws(LogError) -> any SegmentAppender {
        try LocalSegmentAppender(
            files(of: id),
            header: header,
            firstOrdinal: firstOrdinal,
            descriptors: descriptors
        )
    }

    func index(of id: SegmentID) throws(LogError) -> any SegmentBytes {
        try descriptors.file(files(of: id).index)
    }

    func media(of id: SegmentID) throws(LogError) -> any SegmentBytes {
        try descriptors.file(files(of: id).media)
    }

    func delete(_ segments: [SegmentID]) throws(LogError) {
        // Whoever waits for the room is to see it.
        defer { available.withLock { $0 = nil } }
        var failure: LogError?
        for id in segments {
            let files = files(of: id)
            for path in [files.media, files.index, files.newIndex] {
                do throws(LogError) {
                    try Directory.unlink(path)
                } catch {
                    failure = failure ?? error
                }
                // Afterwards, or a reader in between would keep its blocks.
                descriptors.drop(path)
            }
        }
        for directory in Set(segments.map { files(of: $0).directory }) {
            try Directory.sync(directory)
        }
        if let failure { throw failure }
    }

    func recover(_ segment: InterruptedSegment) throws(LogError) -> RecoveredSegment? {
        let files = files(of: segment.id)
        try Directory.unlink(files.newIndex)
        defer { descriptors.drop(files.index) }
        return try SegmentRecovery(segment: segment, files: files, logger: logger).run()
    }

    func fragmentCountBound(of id: SegmentID) -> UInt64 {
        let files = files(of: id)
        // Files that cannot even be looked at may hold as much as a segment ever does.
        func size(_ path: String) -> UInt64 { Directory.size(of: path) ?? 256 << 20 }
        // A stored fragment is never as short as this: its sample table and server tags alone take
        // more.
        let shortest: UInt64 = 256
        return max(size(files.index) / UInt64(IndexFile.recordLength), size(files.media) / shortest)
    }

    func segments(of stream: StreamID) throws(LogError) -> [SegmentID] {
        var found: Set<FragmentNumber> = []
        for name in try Directory.names(in: "\(streams)/\(stream)") {
            guard
                let ending = [".mkv", ".idx", ".idx.new"].first(where: { name.hasSuffix($0) }),
                let number = FragmentNumber(name.dropLast(ending.count))
            else { continue }
            found.insert(number)
        }
        return found.sorted().map { SegmentID(stream: stream, first: $0) }
    }

    func holdsFragments(_ id: SegmentID) throws(LogError) -> Bool {
        let media = files(of: id).media
        guard Directory.exists(media) else { return false }
        return try SegmentRecovery.holdsFragments(media)
    }

    private func files(of id: SegmentID) -> SegmentFiles {
        SegmentFiles(id: id, directory: "\(streams)/\(id.stream)")
    }
}

/// The paths of a log segment's files.
struct SegmentFiles {
    let id: SegmentID
    /// The stream's directory.
    let directory: String

    var media: String { "\(directory)/\(StreamFiles.media(id.first))" }
    var index: String { "\(directory)/\(StreamFiles.index(id.first))" }
    /// An index that is being written anew.
    var newIndex: String { "\(index).new" }
}

extension OpenFile: SegmentBytes {
    var place: String { path }
}
