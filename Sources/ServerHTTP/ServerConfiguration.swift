package import NIOCore

/// Everything about the HTTP server that an operator or a test may set.
package struct ServerConfiguration: Sendable {
    /// Where to listen.
    package var listen = [ListenAddress(host: "127.0.0.1", port: 8080)]

    /// What GetDataEndpoint returns; `nil` takes it from the request.
    package var publicURL: PublicURL?

    /// Names of this server besides localhost and loopback literals.
    package var hostNames: [String] = []

    /// Whether other machines may connect although nobody is asked for credentials.
    package var isInsecure = false

    /// Whether a native push to a stream that does not exist makes it.
    package var autoCreate = true

    /// Connections at a time; lowered to what the descriptors allow.
    package var connectionsMax = 8192

    /// What one producer may send.
    package var producer = ProducerLimits()

    /// How long a connection may take to send a request's head or a JSON body, and stay idle between
    /// requests.
    package var requestHeadTimeout = TimeAmount.seconds(60)

    /// How long a producer may send nothing before its push ends.
    package var pushIdle = TimeAmount.seconds(30)

    /// How long a reader may accept not a single byte before its connection is closed.
    package var readerStall = TimeAmount.seconds(60)

    /// How long requests may go on after the server was told to stop.
    ///
    /// Towards its end producers are cut off, so that there is time to tell them what is stored.
    package var drain = TimeAmount.seconds(10)

    /// The part of ``drain`` that is kept for answers to producers that were cut off.
    var answerTime: TimeAmount {
        min(.seconds(5), .nanoseconds(drain.nanoseconds / 2))
    }

    /// How long a connection that ends may make no progress before it is closed, once its response
    /// is with the kernel: its peer is to read it and to close.
    package var linger = TimeAmount.seconds(3)

    /// Between `100 Continue` and the final head: some clients discard what shares a read with the
    /// former (KVS 2.2).
    package var continuePause = TimeAmount.milliseconds(10)

    /// Silence before PutMedia sends an IDLE acknowledgement, and between two of them (KVS 2.2).
    package var acknowledgementIdle = TimeAmount.seconds(5)

    /// How long GetMedia waits for a fragment before it ends its response (KVS 3.2).
    package var getMediaSilence = TimeAmount.seconds(30)

    /// Bytes of one header field.
    package var headerFieldBytesMax = 16 << 10

    /// Bytes of all header fields of a request.
    package var headerBytesMax = 64 << 10

    /// Header fields of a request.
    package var headerCountMax = 100

    /// Bytes of a JSON body.
    package var jsonBytesMax = 1 << 20

    /// Fragments on one page of a list, unless the client asks for another number.
    package var pageSize = 100

    /// The most fragments on one page of a list.
    package var pageSizeMax = 1000

    /// Spans and gaps in one timeline.
    package var timelineEntriesMax = 10_000

    /// A configuration with every default.
    package init() {}

    /// Checks what the parts say together.
    ///
    /// - Throws: ``ConfigurationError`` with what to change.
    package func validate() throws(ConfigurationError) {
        guard !listen.isEmpty else {
            throw ConfigurationError("There is no address to listen on; give one with --http.")
        }
        for address in listen where !address.isLoopback && !isInsecure {
            throw ConfigurationError(
                "Listening on \(address) would let every machine that can reach it read, write and delete all footage, because this server asks nobody for credentials. Listen on 127.0.0.1 and put a proxy that authenticates in front, or accept the risk with --insecure."
            )
        }
        for name in hostNames where Authority(name)?.host != name.lowercased() {
            throw ConfigurationError(
                "'\(name)' is not a host name; give it without a scheme and a port."
            )
        }
        let times = [
            ("request head timeout", requestHeadTimeout), ("push idle time", pushIdle),
            ("reader stall time", readerStall), ("acknowledgement idle time", acknowledgementIdle),
            ("GetMedia silence", getMediaSilence),
        ]
        for (name, time) in times where time.nanoseconds <= 0 {
            throw ConfigurationError("The \(name) must be longer than zero.")
        }
        try producer.validate()
    }
}

/// A configuration that cannot be served.
package struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// What is wrong and what to change.
    package let description: String

    init(_ description: String) { self.description = description }
}
