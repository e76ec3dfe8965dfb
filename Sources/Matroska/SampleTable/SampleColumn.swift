import NIOCore

/// One column of the sample table: a value per sample, plain or in runs.
enum SampleColumn {
    private static let plain: UInt8 = 0
    private static let runs: UInt8 = 1

    /// Appends a column, in runs where that is shorter.
    static func write(_ values: [UInt64], to bytes: inout ByteBuffer) {
        var plainLength = 0
        var runsLength = 0
        forEachRun(values) { count, value in
            let length = LEB128.length(value)
            plainLength += count * length
            runsLength += LEB128.length(UInt64(count)) + length
        }
        if runsLength < plainLength {
            bytes.writeInteger(runs)
            forEachRun(values) { count, value in
                LEB128.write(UInt64(count), to: &bytes)
                LEB128.write(value, to: &bytes)
            }
        } else {
            bytes.writeInteger(plain)
            for value in values { LEB128.write(value, to: &bytes) }
        }
    }

    /// Reads a column of `count` values.
    ///
    /// - Throws: `.invalidTable` for another form, for runs that are empty or sum up to more than
    ///   `count`, and for damaged integers.
    static func read(
        _ count: Int,
        _ bytes: Span<UInt8>,
        _ index: inout Int
    ) throws(MatroskaError) -> [UInt64] {
        guard index < bytes.count else { throw SampleTable.invalid("ends early", at: index) }
        let form = bytes[index]
        let start = index
        index += 1
        var values: [UInt64] = []
        switch form {
        case plain:
            // A plain value takes a byte or more, so that no count can ask for more than is there.
            guard count <= bytes.count - index else {
                throw SampleTable.invalid("ends within a column", at: start)
            }
            values.reserveCapacity(count)
            for _ in 0..<count { values.append(try LEB128.read(bytes, &index)) }
        case runs:
            values.reserveCapacity(count)
            while values.count < count {
                let length = try LEB128.read(bytes, &index)
                guard length > 0, length <= UInt64(count - values.count) else {
                    throw SampleTable.invalid("has a run of \(length) samples", at: start)
                }
                let value = try LEB128.read(bytes, &index)
                values.append(contentsOf: repeatElement(value, count: Int(length)))
            }
        default:
            throw SampleTable.invalid("has a column of the unknown form \(form)", at: start)
        }
        return values
    }

    private static func forEachRun(_ values: [UInt64], _ body: (Int, UInt64) -> Void) {
        var start = 0
        while start < values.count {
            var end = start + 1
            while end < values.count, values[end] == values[start] { end += 1 }
            body(end - start, values[start])
            start = end
        }
    }
}
