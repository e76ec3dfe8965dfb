import MediaModel
import NIOCore

/// Reads the `.idx` of one log segment.
///
/// All methods block.
///
/// Both timestamps and the numbers grow from record to record, so every lookup is a binary search
/// of a few 128-byte reads.
struct SegmentIndex {
    let id: SegmentID
    /// Records that may be read.
    let count: Int
    let bytes: any SegmentBytes

    /// A count from the catalog, which SQLite does not protect from flipped bits.
    ///
    /// - Parameters:
    ///   - count: What the catalog says.
    ///   - bytes: The index.
    /// - Returns: The count.
    /// - Throws: `.damaged` when the file does not hold so many records.
    static func checkedCount(_ count: UInt64, in bytes: any SegmentBytes) throws(LogError) -> Int {
        let held = try bytes.size() / UInt64(IndexFile.recordLength)
        guard count >= 1, count < held else {
            throw LogError(
                .damaged,
                "The catalog says that \(bytes.place) holds \(count) records, it holds \(held == 0 ? 0 : held - 1); run 'kinelog verify --repair'."
            )
        }
        return Int(count)
    }

    /// The record at a position.
    ///
    /// - Throws: `.damaged` when its CRC does not match.
    func record(_ position: Int) throws(LogError) -> FragmentRecord {
        let stored = try bytes.read(
            at: UInt64((position + 1) * IndexFile.recordLength),
            length: IndexFile.recordLength
        )
        guard var record = IndexFile.record(stored, of: id) else {
            throw LogError(
                .damaged,
                "Record \(position) of \(bytes.place) does not match its checksum; run 'kinelog verify --repair'."
            )
        }
        record.position = UInt32(position)
        return record
    }

    /// Several records from a position on, read at once.
    func records(from position: Int, atMost limit: Int) throws(LogError) -> [FragmentRecord] {
        let wanted = max(0, min(limit, count - position))
        guard wanted > 0 else { return [] }
        var stored = try bytes.read(
            at: UInt64((position + 1) * IndexFile.recordLength),
            length: wanted * IndexFile.recordLength
        )
        var records: [FragmentRecord] = []
        records.reserveCapacity(wanted)
        for index in 0..<wanted {
            guard let slice = stored.readSlice(length: IndexFile.recordLength),
                var record = IndexFile.record(slice, of: id)
            else {
                throw LogError(
                    .damaged,
                    "Record \(position + index) of \(bytes.place) does not match its checksum; run 'kinelog verify --repair'."
                )
            }
            record.position = UInt32(position + index)
            records.append(record)
        }
        return records
    }

    /// The first position whose record satisfies a condition that holds from some record on.
    ///
    /// - Returns: ``count`` when none does.
    func firstPosition(where condition: (FragmentRecord) -> Bool) throws(LogError) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if condition(try record(middle)) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
