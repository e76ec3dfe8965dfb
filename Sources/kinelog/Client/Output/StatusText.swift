import KinelogClient

/// A server's status as people read it.
enum StatusText {
    /// What is said about the server, then its streams.
    static func lines(of status: ServerStatus, at address: String) -> [String] {
        let memory = HumanText.bytes(status.openFragmentBytes)
        let memoryMax = HumanText.bytes(status.openFragmentBytesMax)
        var lines = [
            "server     \(address), clock \(status.now)",
            "producers  \(status.sessions) of at most \(status.sessionsMax)",
            "memory     \(memory) of at most \(memoryMax) in open fragments",
        ]
        if let free = status.diskFreeBytes, let all = status.diskBytes {
            let freeText = HumanText.bytes(Int64(clamping: free))
            let allText = HumanText.bytes(Int64(clamping: all))
            lines.append("disk       \(freeText) free of \(allText)")
        }
        for (id, reason) in (status.damagedStreams ?? [:]).sorted(by: { $0.key < $1.key }) {
            lines.append("damaged    stream \(id): \(reason)")
        }
        for (place, reason) in (status.damagedSegments ?? [:]).sorted(by: { $0.key < $1.key }) {
            lines.append("damaged    log segment \(place): \(reason)")
        }
        lines.append("")
        if status.streams.isEmpty { return lines + ["There is no stream yet."] }
        return lines + StreamText.table(of: status.streams).lines
    }
}
