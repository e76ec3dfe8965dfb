import FragmentLog
import KinelogClient
import MediaModel

extension ArchiveReport {
    /// The report of a check that this process made itself, in the form that a server gives.
    init(_ report: VerifyReport) {
        self.init(
            clean: report.isClean,
            streams: Int64(report.streamCount),
            segments: Int64(report.segmentCount),
            fragments: report.fragmentCount,
            bytes: report.byteCount,
            gaps: report.gapCount,
            damage: Int64(report.damageCount),
            warnings: Int64(report.warningCount),
            notices: Int64(report.noticeCount),
            findings: report.findings.map { finding in
                Finding(
                    severity: finding.severity.name,
                    subject: finding.subject.rawValue,
                    stream: finding.stream?.description,
                    file: finding.file,
                    offset: finding.offset,
                    message: finding.message,
                    remedy: finding.remedy.text
                )
            }
        )
    }
}
