/// The path and query of a request, put together piece by piece and percent-encoded (RFC 3986, 2.1).
struct RequestTarget {
    /// What has been put together so far.
    private(set) var text: String
    private var hasQuery = false

    /// A path from its segments, each of which may hold any characters.
    init(_ segments: String...) {
        text = "/v1"
        for segment in segments { text += "/" + Self.encoded(segment) }
    }

    /// Adds `name=value` to the query, when there is a value.
    mutating func query(_ name: String, _ value: String?) {
        guard let value else { return }
        text += (hasQuery ? "&" : "?") + name + "=" + Self.encoded(value)
        hasQuery = true
    }

    /// Adds a range of time to the query.
    mutating func query(_ range: TimeRange) {
        query("from", range.from?.text)
        query("to", range.to?.text)
        if range.clock != .producer { query("by", range.clock.rawValue) }
    }

    /// Everything but unreserved characters as `%XX` (RFC 3986, 2.3).
    ///
    /// A segment of dots alone is encoded too, since `..` would be resolved away.
    static func encoded(_ text: String) -> String {
        let isDots = text == "." || text == ".."
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: ".") where !isDots:
                result += "."
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0" + digits : "%" + digits
            }
        }
        return result
    }
}
