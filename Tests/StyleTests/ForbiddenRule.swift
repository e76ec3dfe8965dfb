/// Finds constructs that end the process, hide a race or lose a task.
enum ForbiddenRule {
    /// A use that is right where it stands.
    struct Exception {
        var path: String
        var construct: String
        var reason: String
    }

    /// The uses that are right where they stand; one that is no longer there is a violation too.
    static let exceptions: [Exception] = [
        Exception(
            path: "Sources/FFmpegMedia/BytePipe.swift",
            construct: "preconditionFailure(",
            reason: "a push that is forced is taken; anything else is a bug here"
        ),
        Exception(
            path: "Sources/FFmpegMedia/Monitor.swift",
            construct: "nonisolated(unsafe)",
            reason: "pointers that are set once; what they point to is behind the lock"
        ),
        Exception(
            path: "Sources/ServerHTTP/Connection/Answer.swift",
            construct: "preconditionFailure(",
            reason: "header names written in this program"
        ),
        Exception(
            path: "Sources/ServerHTTP/Connection/PacedWriter.swift",
            construct: "@unchecked Sendable",
            reason: "the library's writer is Sendable and only hides its type"
        ),
    ]

    /// What is looked for, and what to do instead.
    static let constructs: [(text: String, instead: String)] = [
        ("try!", "handle the error, or throw it"),
        ("fatalError(", "throw; precondition is for our own bugs"),
        ("preconditionFailure(", "make the state impossible, or throw"),
        ("@unchecked Sendable", "use a Mutex, or do not share it"),
        ("nonisolated(unsafe)", "use a Mutex, or do not share it"),
        ("Task.detached", "make it the child of a group or a Service"),
        ("@_exported", "import where it is used"),
        ("import Foundation\n", "FoundationEssentials has what is needed here"),
    ]

    /// One sentence for each forbidden use, and for each exception that nothing needs.
    static func violations(
        in files: [SourceFile],
        exceptions: [Exception] = exceptions
    ) -> [String] {
        var unused = Set(exceptions.map { "\($0.path) \($0.construct)" })
        var result: [String] = []
        for file in files {
            for (index, line) in file.text.code.enumerated() {
                for construct in constructs where "\(line)\n".contains(construct.text) {
                    let isExcepted = exceptions.contains {
                        $0.path == file.path && $0.construct == construct.text
                    }
                    unused.remove("\(file.path) \(construct.text)")
                    if isExcepted { continue }
                    result.append(
                        "\(file.path):\(index + 1): \(named(construct.text)): \(construct.instead)"
                    )
                }
            }
        }
        return result + unused.sorted().map { "exception without use: \($0)" }
    }

    private static func named(_ construct: String) -> Substring {
        construct.hasSuffix("\n") ? construct.dropLast() : construct[...]
    }
}
