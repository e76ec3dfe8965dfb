/// What the descriptors that this process may open are for: one budget for connections, producers
/// and readers, so that each is refused in words before a file or a socket cannot be had.
package struct DescriptorBudget: Equatable, Sendable {
    /// Producer sessions at a time.
    package let sessions: Int

    /// Connections at a time, those of producers included.
    package let connections: Int

    /// Read descriptors that are kept open between uses.
    let cached: Int

    /// What every server needs: databases, files that commits open for a moment, standard streams,
    /// and connections that are told that there are too many.
    private static let reserved = 160

    /// For each event loop: its epoll, event and timer descriptors.
    private static let reservedPerCore = 3

    /// Divides the descriptors.
    ///
    /// - Parameters:
    ///   - limit: How many this process may open.
    ///   - cores: How many event loops there are.
    ///   - configuration: What is wanted of each kind at most.
    init(limit: Int, cores: Int, _ configuration: LogConfiguration) {
        let spare = max(limit - Self.reserved - Self.reservedPerCore * cores, 20)
        cached = max(1, min(configuration.readDescriptorsMax, spare / 4))
        let rest = spare - cached
        // A session needs its socket, the two files of its log segment and maybe a spill file; some
        // connections are left for others.
        sessions = max(1, min(configuration.sessionsMax, rest / 5))
        // Any other needs its socket and, for a long answer, the two files it reads.
        connections = max(2, min(configuration.connectionsMax, (rest - sessions) / 3))
    }
}
