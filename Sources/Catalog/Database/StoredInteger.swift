internal import MediaModel

/// Unsigned values as SQLite keeps them: 63 bits, so that their order is kept too.
enum StoredInteger {
    /// The stored form of an unsigned value.
    ///
    /// - Throws: ``CatalogError/Code/invalidValue`` when it needs 64 bits.
    static func checked(_ value: UInt64, _ what: String) throws(CatalogError) -> Int64 {
        guard let stored = Int64(exactly: value) else {
            throw CatalogError(
                code: .invalidValue,
                message: "The \(what) \(value) is beyond \(Int64.max), the largest the catalog "
                    + "can order; nothing was written."
            )
        }
        return stored
    }

    /// The stored form for a comparison: values beyond what can be stored lie behind all that is.
    static func clamped(_ value: UInt64) -> Int64 {
        Int64(clamping: value)
    }
}

/// A fragment number in the three columns it is stored in.
struct StoredNumber {
    let sequence: Int64
    let serverMilliseconds: Int64
    let random: Int64

    /// The columns for writing.
    init(checking number: FragmentNumber) throws(CatalogError) {
        sequence = try StoredInteger.checked(number.sequence, "fragment sequence")
        serverMilliseconds = try StoredInteger.checked(
            number.serverMilliseconds,
            "server time in a fragment number"
        )
        random = Int64(number.random)
    }

    /// The columns for comparing with any number a client may send.
    init(clamping number: FragmentNumber) {
        sequence = StoredInteger.clamped(number.sequence)
        serverMilliseconds = StoredInteger.clamped(number.serverMilliseconds)
        random = Int64(number.random)
    }
}
