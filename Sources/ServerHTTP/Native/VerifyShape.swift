import FragmentLog
import MediaModel

/// What a check of everything stored found, as JSON.
enum VerifyShape {
    /// The report, with a sentence on what to do about each finding.
    static func json(_ report: VerifyReport) -> JSONValue {
        .object([
            "clean": .bool(report.isClean),
            "streams": .integer(Int64(report.streamCount)),
            "segments": .integer(Int64(report.segmentCount)),
            "fragments": .unsigned(report.fragmentCount),
            "bytes": .unsigned(report.byteCount),
            "gaps": .unsigned(report.gapCount),
            "damage": .integer(Int64(report.damageCount)),
            "warnings": .integer(Int64(report.warningCount)),
            "notices": .integer(Int64(report.noticeCount)),
            "findings": .array(report.findings.map(finding)),
        ])
    }

    private static func finding(_ finding: VerifyFinding) -> JSONValue {
        .object([
            "severity": .string(finding.severity.name),
            "subject": .string(finding.subject.rawValue),
            "stream": finding.stream.map { .string($0.description) },
            "file": .string(finding.file),
            "offset": finding.offset.map { .unsigned($0) },
            "message": .string(finding.message),
            "remedy": .string(finding.remedy.text),
        ])
    }
}
