package import MediaModel

/// One thing that a check of a data directory found.
package struct VerifyFinding: Equatable, Sendable {
    /// How bad it is.
    package enum Severity: Int, Comparable, Sendable, CaseIterable {
        /// Worth knowing; a crash or a deletion in progress explains it and the server puts it right.
        case notice
        /// Something that should not be, but takes no footage away.
        case warning
        /// Bytes are lost or changed, or footage cannot be found.
        case damage

        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

        /// The name in reports.
        package var name: String {
            switch self {
            case .notice: "notice"
            case .warning: "warning"
            case .damage: "damage"
            }
        }
    }

    /// What kind of thing is concerned: the closed set that a program can switch on.
    package enum Subject: String, Sendable, CaseIterable {
        /// `format`, the lock, the layout version.
        case layout
        /// `streams/volume.json`.
        case volume
        /// `catalog.sqlite` as a file.
        case catalog
        /// `consumers.sqlite` as a file.
        case consumers
        /// A stream's directory or its row.
        case stream
        /// `stream.json`.
        case document
        /// `events.log`, and sessions and gaps in the catalog.
        case events
        /// A log segment's files or its row.
        case segment
        /// The header at the start of an `.mkv`.
        case header
        /// An `.idx` file.
        case index
        /// A stored fragment.
        case fragment
        /// The order or the numbering of fragments.
        case order
        /// What a crash left behind an intact end.
        case tornTail
        /// A file that nothing refers to.
        case leftover
    }

    /// What to do about it.
    package enum Remedy: String, Sendable, CaseIterable {
        /// Nothing.
        case none
        /// Start the server; it puts this right by itself.
        case start
        /// `kinelog verify --repair`.
        case repair
        /// Restore the file from a backup; nothing here can bring the bytes back.
        case restore
        /// Mount the right volume.
        case mount

        /// The advice in a sentence.
        package var text: String {
            switch self {
            case .none: "Nothing has to be done."
            case .start: "The next start of the server puts it right."
            case .repair: "Stop the server and run 'kinelog verify --repair'."
            case .restore: "Restore the file from a backup; the fragment is not served."
            case .mount: "Mount the volume that belongs to this data directory."
            }
        }
    }

    /// How bad it is.
    package var severity: Severity
    /// What is concerned.
    package var subject: Subject
    /// The stream concerned; `nil` for what belongs to none.
    package var stream: StreamID?
    /// The file, relative to the data directory.
    package var file: String
    /// Where in the file, where that can be said.
    package var offset: UInt64?
    /// What was expected and what was found.
    package var message: String
    /// What to do.
    package var remedy: Remedy

    /// A finding from its parts.
    package init(
        _ severity: Severity,
        _ subject: Subject,
        stream: StreamID? = nil,
        file: String,
        offset: UInt64? = nil,
        remedy: Remedy,
        _ message: String
    ) {
        self.severity = severity
        self.subject = subject
        self.stream = stream
        self.file = file
        self.offset = offset
        self.message = message
        self.remedy = remedy
    }
}

extension VerifyFinding: CustomStringConvertible {
    /// One line: severity, file, offset, what was found and what to do.
    package var description: String {
        let place = offset.map { "\(file) at byte \($0)" } ?? file
        return "\(severity.name): \(place): \(message) \(remedy.text)"
    }
}
