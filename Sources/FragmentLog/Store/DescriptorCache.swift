import Glibc
import Synchronization

/// Read descriptors of log segments, kept open up to a limit; the least recently used goes first.
///
/// A file taken from here stays readable while its taker holds it, also after retention has
/// unlinked it.
final class DescriptorCache: Sendable {
    private struct Entry {
        var file: OpenFile
        var lastUse: UInt64
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var clock: UInt64 = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) {
        self.limit = max(limit, 1)
    }

    /// The file at `path`, open for reading.
    func file(_ path: String) throws(LogError) -> OpenFile {
        if let file = lookUp(path) { return file }
        let file = try OpenFile.open(path, O_RDONLY)
        state.withLock { state in
            if state.entries.count >= limit { evict(&state) }
            state.clock += 1
            state.entries[path] = Entry(file: file, lastUse: state.clock)
        }
        // Unlinked while it was opened: kept here it would hold its blocks.
        if try file.isUnlinked() { drop(path) }
        return file
    }

    /// Forgets the file, so that its blocks are freed once the last reader lets go of it.
    func drop(_ path: String) {
        state.withLock { _ = $0.entries.removeValue(forKey: path) }
    }

    private func lookUp(_ path: String) -> OpenFile? {
        state.withLock { state in
            guard let file = state.entries[path]?.file else { return nil }
            state.clock += 1
            state.entries[path]?.lastUse = state.clock
            return file
        }
    }

    /// Drops the older quarter at once, so that eviction costs little per use.
    private func evict(_ state: inout State) {
        let oldest = state.entries.sorted { $0.value.lastUse < $1.value.lastUse }
        for (path, _) in oldest.prefix(max(1, limit / 4)) {
            state.entries.removeValue(forKey: path)
        }
    }
}
