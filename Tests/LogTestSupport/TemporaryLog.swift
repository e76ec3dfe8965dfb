package import FragmentLog
import Logging
package import MediaModel
package import TestSupport

/// A log in a directory of its own that can be closed and opened again.
package struct TemporaryLog: Sendable {
    /// Removed with the last reference to it.
    package let directory: TemporaryDirectory

    /// The configuration it is opened with; change it before ``open()``.
    package var configuration: LogConfiguration

    /// A directory and a configuration with few threads.
    package init(clock: (any WallClock)? = nil) throws {
        directory = try TemporaryDirectory()
        configuration = LogConfiguration(directory: directory.file("data"))
        configuration.commitThreadCount = 2
        configuration.readThreadCount = 2
        configuration.copyMilliseconds = 0
        if let clock { configuration.clock = clock }
    }

    /// Opens the log; errors and worse are printed.
    package func open() async throws -> FragmentLog {
        try await FragmentLog.open(
            configuration,
            logger: Logger(label: "test") { _ in
                SwiftLogNoOpLogHandler()
            }
        )
    }
}

extension StreamName {
    /// A name that is known to be valid.
    package static func test(_ text: String = "cam") -> StreamName {
        guard let name = StreamName(text) else { preconditionFailure("\(text) is no stream name") }
        return name
    }
}

extension SessionRequest {
    /// A producer as tests use it.
    package static let test = SessionRequest(
        protocolName: "test",
        peer: "127.0.0.1:1",
        clockSource: .absolute
    )
}

extension TemporaryLog {
    /// Keeps the directory up to here; for a `defer` where nothing else refers to it at the end.
    package func keep() { withExtendedLifetime(directory) {} }

    /// The path of a file in the data directory.
    package func file(_ name: String) -> String { "\(configuration.directory)/\(name)" }
}

/// Something that a test expected did not come.
package struct TestFailure: Error, CustomStringConvertible {
    /// What.
    package let description: String

    /// A failure with its text.
    package init(_ description: String) { self.description = description }
}
