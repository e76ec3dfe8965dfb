import ArgumentParser
import FragmentLog
import NIOCore
import ServerHTTP

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
            "Connections at a time; never more than file descriptors allow.",
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

    @Option(
        help: ArgumentHelp(
            "Bytes of a fragment; what is larger goes on in a dependent one, PutMedia refuses it.",
            valueName: "size"
        )
    )
    var maxFragmentSize = ByteSize(50_000_000)

    @Option(
        help: ArgumentHelp(
            "Length of a fragment; what is longer goes on in a dependent one, PutMedia refuses it.",
            valueName: "time"
        )
    )
    var maxFragmentTime = TimeSpan(.seconds(20))

    @Option(help: ArgumentHelp("Tracks of a producer.", valueName: "count"))
    var maxTracks = 8

    @Option(
        help: ArgumentHelp(
            "Bytes that Matroska may send before its first Cluster.",
            valueName: "size"
        )
    )
    var maxHeader = ByteSize(4 << 20)

    func validate() throws {
        guard maxSessions > 0, maxConnections > 0, openMemory.bytes > 0 else {
            throw ValidationError("Limits must be larger than zero.")
        }
        guard (0...87_600).contains(defaultRetention) else {
            throw ValidationError("--default-retention lies outside 0 to 87600 hours.")
        }
    }

    /// Sets the limits of a log.
    func apply(to configuration: inout LogConfiguration) {
        configuration.openFragmentBytesMax = openMemory.bytes
        configuration.sessionsMax = maxSessions
        configuration.defaultRetentionHours = defaultRetention
        configuration.freeBytesMin = Int64(minFree.bytes)
    }

    /// Sets the limits of a server.
    func apply(to configuration: inout ServerConfiguration) {
        configuration.connectionsMax = maxConnections
        configuration.producer.fragmentBytesMax = maxFragmentSize.bytes
        configuration.producer.fragmentTimeMax = maxFragmentTime.amount
        configuration.producer.trackCountMax = maxTracks
        configuration.producer.headerBytesMax = maxHeader.bytes
    }
}
