internal import GRDB
internal import MediaModel

/// Reads the columns of a row by position, checking each: a damaged file must never trap.
struct ColumnReader {
    let row: Row

    /// The table, for the error.
    let table: String

    /// The names of the columns, for the error.
    let columns: [String]

    /// A 64-bit integer or null.
    func optionalInteger(_ index: Int) throws(RowDamage) -> Int64? {
        let value: DatabaseValue = row[index]
        switch value.storage {
        case .int64(let integer): return integer
        case .null: return nil
        default: throw damage(index)
        }
    }

    /// A 64-bit integer.
    func integer(_ index: Int) throws(RowDamage) -> Int64 {
        guard let value = try optionalInteger(index) else { throw damage(index) }
        return value
    }

    /// An integer that is not negative.
    func unsigned(_ index: Int) throws(RowDamage) -> UInt64 {
        guard let value = UInt64(exactly: try integer(index)) else { throw damage(index) }
        return value
    }

    /// An integer that is not negative, or null.
    func optionalUnsigned(_ index: Int) throws(RowDamage) -> UInt64? {
        guard let value = try optionalInteger(index) else { return nil }
        guard let unsigned = UInt64(exactly: value) else { throw damage(index) }
        return unsigned
    }

    /// Milliseconds since 1970.
    func timestamp(_ index: Int) throws(RowDamage) -> Timestamp {
        Timestamp(milliseconds: try integer(index))
    }

    /// A fragment number in the three columns from `index`.
    func number(_ index: Int) throws(RowDamage) -> FragmentNumber {
        let random = try unsigned(index + 2)
        guard random < 1 << 28 else { throw damage(index + 2) }
        return FragmentNumber(
            sequence: try unsigned(index),
            serverMilliseconds: try unsigned(index + 1),
            random: UInt32(random)
        )
    }

    /// A fragment number in the three columns from `index`, or null.
    func optionalNumber(_ index: Int) throws(RowDamage) -> FragmentNumber? {
        try optionalInteger(index) == nil ? nil : try number(index)
    }

    /// UTF-8 text.
    func text(_ index: Int) throws(RowDamage) -> String {
        let value: DatabaseValue = row[index]
        guard case .string(let text) = value.storage else { throw damage(index) }
        return text
    }

    /// A value that must be one of an enumeration's.
    func known<Value>(_ value: Value?, _ index: Int) throws(RowDamage) -> Value {
        guard let value else { throw damage(index) }
        return value
    }

    private func damage(_ index: Int) -> RowDamage {
        RowDamage(table: table, column: columns.indices.contains(index) ? columns[index] : "?")
    }
}
