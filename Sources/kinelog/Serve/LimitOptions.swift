import ArgumentParser

/// What the server may use.
struct LimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Memory for fragments that are still arriving; the largest are spilled to disk above it.",
            valueName: "size"
        )
    )
    var openMemory = ByteSize(2 << 30)

    @Option(
        help: ArgumentHelp(
            "Producers at a time; never more than file descriptors allow.",
            valueName: "count"
        )
    )
    var maxSessions = 4096

    @Option(
        help: ArgumentHelp(
            "Connections at a time; never more than half of the file descriptors.",
            valueName: "count"
        )
    )
    var maxConnections = 8192

    @Option(
        help: ArgumentHelp(
            "Hours that streams made without saying so keep their footage.",
            valueName: "hours"
        )
    )
    var defaultRetention = 24

    @Option(
        help: ArgumentHelp("Free room below which nothing is recorded.", valueName: "size")
    )
    var minFree = ByteSize(32 << 20)

    func validate() throws {
        guard maxSessions > 0, maxConnections > 0, openMemory.bytes > 0 else {
            throw ValidationError("Limits must be larger than zero.")
        }
        guard (0...87_600).contains(defaultRetention) else {
            throw ValidationError("--default-retention lies outside 0 to 87600 hours.")
        }
    }
}
