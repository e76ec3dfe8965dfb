import FragmentLog
import KinelogClient

/// What a check found, as people read it.
enum ReportText {
    /// A line for each finding, then what was covered.
    static func lines(of report: ArchiveReport) -> [String] {
        var lines = report.findings.map { finding in
            let place = finding.offset.map { "\(finding.file) at byte \($0)" } ?? finding.file
            return "\(finding.severity): \(place): \(finding.message) \(finding.remedy)"
        }
        let all = report.damage + report.warnings + report.notices
        if all > Int64(report.findings.count) {
            lines.append("… and \(all - Int64(report.findings.count)) more findings.")
        }
        let streams = HumanText.count(report.streams, "stream")
        let segments = HumanText.count(report.segments, "log segment")
        let fragments = HumanText.count(Int64(clamping: report.fragments), "fragment")
        let bytes = HumanText.bytes(Int64(clamping: report.bytes))
        lines.append("Checked \(streams), \(segments), \(fragments), \(bytes).")
        if report.clean {
            lines.append("All is as it should be.")
        } else {
            let damage = "\(report.damage) damaged"
            let warnings = HumanText.count(report.warnings, "warning")
            lines.append("Found \(damage), \(warnings).")
        }
        return lines
    }

    /// What a repair did and could not do; what a check finds afterwards is told apart.
    static func lines(of report: RepairReport) -> [String] {
        var lines = report.actions.map { "done: \($0.file): \($0.message)" }
        lines += report.losses.map { "not restored: \($0)" }
        if report.actions.isEmpty {
            lines.append("Nothing had to be repaired.")
        } else {
            lines.append(
                "Expiry is paused for the streams concerned: start the server, look at 'kinelog stream list', then 'kinelog stream resume-retention NAME'."
            )
        }
        return lines
    }
}
