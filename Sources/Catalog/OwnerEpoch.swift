/// Which owner of a stream a write comes from.
///
/// Every write that names a stream carries one and fails when the database holds another, so that
/// an owner that was replaced can no longer change anything. One server owns everything today.
package struct OwnerEpoch: Hashable, Sendable, CustomStringConvertible {
    /// Counts up from 1 with every change of owner.
    package let rawValue: Int64

    /// An epoch from its number; 1 or more.
    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// The only epoch while one server owns every stream.
    package static let single = OwnerEpoch(rawValue: 1)

    package var description: String { String(rawValue) }
}
