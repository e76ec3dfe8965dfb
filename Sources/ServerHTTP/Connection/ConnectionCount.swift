import Synchronization

/// How many connections there are.
///
/// A few more than the limit are let in, so that they can be told.
final class ConnectionCount: Sendable {
    /// So many connections beyond the limit are told that there are too many.
    static let surplusMax = 32

    /// Connections that are served.
    let limit: Int

    private let count = Atomic(0)

    init(limit: Int) { self.limit = limit }

    /// Counts a connection.
    ///
    /// - Returns: Whether it is within the limit; it must leave in any case.
    func enter() -> Bool { count.add(1, ordering: .relaxed).newValue <= limit }

    /// A connection is over.
    func leave() { count.subtract(1, ordering: .relaxed) }
}
