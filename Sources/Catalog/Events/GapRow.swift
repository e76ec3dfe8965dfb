package import MediaModel

/// A gap with the number the catalog gave it.
package struct GapRow: Equatable, Sendable {
    /// Counts up over all streams in the order of recording; not the same after a rebuild.
    package var id: Int64

    /// The gap itself.
    package var gap: Gap

    /// A row from its parts.
    package init(id: Int64, gap: Gap) {
        self.id = id
        self.gap = gap
    }
}
