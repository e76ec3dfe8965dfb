import Glibc
import NIOCore

/// One line on standard error that says how far a long command has come.
///
/// Nothing is written when standard error is no terminal: a log file should not fill with it.
struct ProgressLine {
    private let isShown: Bool
    private var nextUpdate = ContinuousClock.now
    private var width = 0

    /// A line that shows nothing yet.
    init(isShown: Bool = Terminal.isInteractive(STDERR_FILENO)) {
        self.isShown = isShown
    }

    /// Shows a text in place of the one before, at most ten times a second.
    mutating func show(_ text: @autoclosure () -> String) {
        guard isShown, ContinuousClock.now >= nextUpdate else { return }
        nextUpdate = .now + .milliseconds(100)
        draw(text())
    }

    /// Takes the line away, before something else is written.
    mutating func clear() {
        guard isShown, width > 0 else { return }
        draw("")
        nextUpdate = .now
    }

    private mutating func draw(_ text: String) {
        let space = String(repeating: " ", count: max(0, width - text.count))
        let line = ByteBuffer(string: "\r\(text)\(space)\(text.isEmpty ? "\r" : "")")
        try? Terminal.write(line, to: STDERR_FILENO, "standard error")
        width = text.count
    }

    /// `done` of `total` as a bar of 24 characters and a percentage.
    static func bar(_ done: Int64, of total: Int64) -> String {
        let share = total > 0 ? min(1000, max(0, done) * 1000 / total) : 1000
        let filled = Int(share) * 24 / 1000
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 24 - filled)
        return "[\(bar)] \(share / 10) %"
    }
}
