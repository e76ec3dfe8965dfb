import FragmentLog
import HTTPTypes
import HummingbirdCore
import Logging

/// One request with everything that answering it needs.
struct Exchange: Sendable {
    let head: HTTPRequest
    let body: RequestBytes
    let connection: Connection
    let server: ServerState
    /// Stands in the answer and in the log.
    let id: String
    /// The target up to its question mark.
    let path: Substring
    /// The target behind it.
    let query: Substring?
    let logger: Logger

    /// A request that has just arrived.
    init(_ request: Request, on connection: Connection, server: ServerState, id: String) {
        head = request.head
        body = RequestBytes(request, channel: connection.channel)
        self.connection = connection
        self.server = server
        self.id = id
        let target = request.head.path ?? ""
        let mark = target.firstIndex(of: "?")
        path = target[..<(mark ?? target.endIndex)]
        query = mark.map { target[target.index(after: $0)...] }
        var logger = server.logger
        logger[metadataKey: "request.id"] = "\(id)"
        self.logger = logger
    }

    /// Whether the target is that of an operation of Kinesis Video Streams: one word.
    var isKVS: Bool {
        let word = path.dropFirst()
        return head.method == .post && word != "healthz" && word != "readyz" && !word.isEmpty
            && word.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            }
    }
}
