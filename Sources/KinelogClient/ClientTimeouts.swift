/// How long a client waits, in milliseconds.
public struct ClientTimeouts: Hashable, Sendable {
    /// For a connection to come about; 10 s.
    public var connectMilliseconds: Int64

    /// For the whole answer to a short request such as a list; 60 s.
    public var answerMilliseconds: Int64

    /// For the next bytes of an answer, once a request has been sent in full; 120 s.
    ///
    /// Not used while following a live stream, whose camera may be silent for hours, nor for a
    /// check of the archive, which answers when it is done.
    public var silenceMilliseconds: Int64

    /// Waiting times, each with its default.
    public init(
        connectMilliseconds: Int64 = 10_000,
        answerMilliseconds: Int64 = 60_000,
        silenceMilliseconds: Int64 = 120_000
    ) {
        self.connectMilliseconds = connectMilliseconds
        self.answerMilliseconds = answerMilliseconds
        self.silenceMilliseconds = silenceMilliseconds
    }
}
