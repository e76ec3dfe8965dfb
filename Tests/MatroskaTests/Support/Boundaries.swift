/// Where elements begin and end, by a walk of its own.
enum Boundaries {
    /// Every place where an element begins or ends: the Segment's and Clusters' children too.
    static func all(of bytes: Bytes) -> [Int] {
        walk(bytes).map(\.place)
    }

    /// The places where a document may end in order.
    static func orderlyEnds(of bytes: Bytes) -> [Int] {
        walk(bytes).filter(\.isOrderly).map(\.place)
    }

    /// The same document with Clusters of unknown size, without CRC-32.
    static func withOpenClusters(_ bytes: Bytes) -> Bytes {
        var output: Bytes = []
        var place = 0
        while place < bytes.count {
            let (elementID, size, length) = head(bytes, place)
            if elementID == 0x1F43_B675 {
                output += id(elementID) + [0xFF]
                place += length
            } else if elementID == 0xBF {
                place += length + 4
            } else {
                let end = place + length + (elementID == 0x1853_8067 ? 0 : size ?? 0)
                output += bytes[place..<end]
                place = end
            }
        }
        return output
    }

    private static func walk(_ bytes: Bytes) -> [(place: Int, isOrderly: Bool)] {
        var found: [(Int, Bool)] = []
        var place = 0
        var segmentEnd: Int?
        var clusterEnd: Int?
        var isInSegment = false
        while place < bytes.count {
            let (elementID, size, length) = head(bytes, place)
            if let end = clusterEnd, place >= end { clusterEnd = nil }
            if elementID == 0x1853_8067 {
                isInSegment = true
                segmentEnd = size.map { place + length + $0 }
                place += length
            } else if elementID == 0x1F43_B675 {
                clusterEnd = size.map { place + length + $0 }
                // Nothing but the size is special here: without a Timecode the end is refused.
                place += length
                if size == nil { found.append((place, false)) }
                continue
            } else {
                place += length + (size ?? 0)
            }
            let isOpen = segmentEnd.map { place < $0 } ?? false
            let isInCluster = clusterEnd.map { place < $0 } ?? false
            found.append((place, isInSegment && !isOpen && !isInCluster))
        }
        return found
    }

    private static func head(_ bytes: Bytes, _ place: Int) -> (UInt32, Int?, Int) {
        let idLength = bytes[place].leadingZeroBitCount + 1
        let elementID = bytes[place..<place + idLength].reduce(0) { $0 << 8 | UInt32($1) }
        let sizeStart = place + idLength
        let sizeLength = bytes[sizeStart].leadingZeroBitCount + 1
        let raw = bytes[sizeStart..<sizeStart + sizeLength].reduce(0) { $0 << 8 | Int($1) }
        let mask = (1 << (7 * sizeLength)) - 1
        return (elementID, raw & mask == mask ? nil : raw & mask, idLength + sizeLength)
    }
}
