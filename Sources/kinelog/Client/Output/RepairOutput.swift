import FragmentLog
import KinelogClient

/// What a repair did, for machines.
struct RepairOutput: Encodable {
    /// One change.
    struct Action: Encodable {
        var file: String
        var message: String
    }

    /// What was found at first.
    var before: ArchiveReport
    /// What was done, in order.
    var actions: [Action]
    /// What could not be restored.
    var losses: [String]
    /// What a check finds now.
    var after: ArchiveReport

    init(_ report: RepairReport) {
        before = ArchiveReport(report.before)
        actions = report.actions.map { Action(file: $0.file, message: $0.message) }
        losses = report.losses
        after = ArchiveReport(report.after)
    }
}
