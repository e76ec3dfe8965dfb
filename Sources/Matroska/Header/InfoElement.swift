import MediaModel
import NIOCore

/// What is read of Info (RFC 9559, 5.1.2).
struct InfoElement {
    /// Where the element begins in the input.
    var offset: Int64?

    /// Nanoseconds per tick.
    var timecodeScale: UInt64 = 1_000_000

    /// What DateUTC says, rounded down to milliseconds.
    var dateUTC: Timestamp?

    init() {}

    init(_ element: Element) throws(MatroskaError) {
        offset = element.offset
        var children = element.children
        while let child = try children.next() {
            switch child.id {
            case .timecodeScale: timecodeScale = try child.unsigned()
            case .dateUTC:
                let data = child.payload
                guard let ticks = data.getInteger(at: data.readerIndex, as: Int64.self) else {
                    break
                }
                dateUTC = Timestamp(
                    milliseconds: ticks.flooredDivision(by: 1_000_000) + Self.epochMilliseconds
                )
            default: break
            }
        }
    }

    /// 2001-01-01T00:00:00Z, from which EBML dates count nanoseconds (RFC 8794, 7.6).
    private static let epochMilliseconds: Int64 = 978_307_200_000

    /// The value of a DateUTC element; `nil` outside the years 1708 to 2293 that it can express.
    static func dateTicks(_ date: Timestamp) -> Int64? {
        let (sinceEpoch, overflow) = date.milliseconds.subtractingReportingOverflow(
            epochMilliseconds
        )
        let (ticks, overflow2) = sinceEpoch.multipliedReportingOverflow(by: 1_000_000)
        return overflow || overflow2 ? nil : ticks
    }
}
