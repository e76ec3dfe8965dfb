import FoundationEssentials
import NIOCore

/// JSON to and from buffers; the only place that needs Foundation.
enum JSONText {
    /// Reads a JSON text.
    ///
    /// - Throws: When the bytes are no JSON or lack what `type` needs.
    static func read<Value: Decodable>(_ type: Value.Type, _ bytes: ByteBuffer) throws -> Value {
        try JSONDecoder().decode(type, from: Data(bytes.readableBytesView))
    }

    /// Writes a JSON text.
    ///
    /// - Throws: When a value has no JSON form.
    static func write(_ value: some Encodable) throws -> ByteBuffer {
        ByteBuffer(bytes: try JSONEncoder().encode(value))
    }
}
