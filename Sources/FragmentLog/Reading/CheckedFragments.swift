import Synchronization

/// Which fragments were compared with their checksums since the server started.
///
/// One bit per fragment, for a bounded number of log segments; forgetting one costs another look.
final class CheckedFragments: Sendable {
    private struct State {
        var words: [SegmentID: [UInt64]] = [:]
    }

    private let state = Mutex(State())
    private let segmentsMax: Int

    init(segmentsMax: Int = 8192) {
        self.segmentsMax = segmentsMax
    }

    func contains(_ record: FragmentRecord) -> Bool {
        let (word, bit) = (Int(record.position / 64), UInt64(1) << (record.position % 64))
        return state.withLock { state in
            guard let words = state.words[record.segment], word < words.count else { return false }
            return words[word] & bit != 0
        }
    }

    func insert(_ record: FragmentRecord) {
        let (word, bit) = (Int(record.position / 64), UInt64(1) << (record.position % 64))
        state.withLock { state in
            if state.words.count >= segmentsMax, state.words[record.segment] == nil {
                for segment in state.words.keys.prefix(segmentsMax / 4) {
                    state.words.removeValue(forKey: segment)
                }
            }
            var words = state.words.removeValue(forKey: record.segment) ?? []
            while words.count <= word { words.append(0) }
            words[word] |= bit
            state.words[record.segment] = words
        }
    }

    func forget(_ segment: SegmentID) {
        state.withLock { _ = $0.words.removeValue(forKey: segment) }
    }
}

/// Headers of the log segments that were read last.
final class HeaderCache: Sendable {
    private let state = Mutex<[SegmentID: SegmentHeader]>([:])
    private let limit = 256

    subscript(segment: SegmentID) -> SegmentHeader? {
        get { state.withLock { $0[segment] } }
        set {
            state.withLock { headers in
                if headers.count >= limit, headers[segment] == nil {
                    for old in headers.keys.prefix(limit / 4) { headers.removeValue(forKey: old) }
                }
                headers[segment] = newValue
            }
        }
    }
}
