import NIOCore

/// A JSON text to be written, with its members in the order given.
///
/// `JSONEncoder` orders members by chance or by name; answers and acknowledgements are documented
/// in one order and clients see them so.
indirect enum JSONValue: Equatable, Sendable {
    case object([Member])
    case array([JSONValue])
    case string(String)
    case integer(Int64)
    case unsigned(UInt64)
    /// Digits already in JSON's form, as in `1551924009.774`.
    case number(String)
    case bool(Bool)
    case null

    /// One member of an object.
    struct Member: Equatable, Sendable {
        var name: String
        var value: JSONValue

        init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// An object without the members whose value is `nil`.
    static func object(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
        .object(members.compactMap { pair in pair.value.map { Member(pair.key, $0) } })
    }

    /// A map, sorted by key.
    static func map(_ values: [String: String]) -> JSONValue {
        .object(values.sorted { $0.key < $1.key }.map { Member($0.key, .string($0.value)) })
    }

    /// The text in UTF-8.
    var bytes: ByteBuffer {
        var buffer = ByteBuffer()
        write(to: &buffer)
        return buffer
    }

    /// Appends the text.
    func write(to buffer: inout ByteBuffer) {
        switch self {
        case .object(let members):
            buffer.writeInteger(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { buffer.writeInteger(UInt8(ascii: ",")) }
                Self.write(member.name, to: &buffer)
                buffer.writeInteger(UInt8(ascii: ":"))
                member.value.write(to: &buffer)
            }
            buffer.writeInteger(UInt8(ascii: "}"))
        case .array(let values):
            buffer.writeInteger(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { buffer.writeInteger(UInt8(ascii: ",")) }
                value.write(to: &buffer)
            }
            buffer.writeInteger(UInt8(ascii: "]"))
        case .string(let text): Self.write(text, to: &buffer)
        case .integer(let value): buffer.writeString(String(value))
        case .unsigned(let value): buffer.writeString(String(value))
        case .number(let digits): buffer.writeString(digits)
        case .bool(let value): buffer.writeString(value ? "true" : "false")
        case .null: buffer.writeString("null")
        }
    }

    /// Appends a string in quotes; slashes stay as they are (KVS section 12).
    private static func write(_ text: String, to buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): buffer.writeString("\\\"")
            case UInt8(ascii: "\\"): buffer.writeString("\\\\")
            case 0x0A: buffer.writeString("\\n")
            case 0x0D: buffer.writeString("\\r")
            case 0x09: buffer.writeString("\\t")
            case 0..<0x20, 0x7F:
                let digits = String(byte, radix: 16)
                buffer.writeString("\\u00" + (digits.count == 1 ? "0" : "") + digits)
            default: buffer.writeInteger(byte)
            }
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }
}
