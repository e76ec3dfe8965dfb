import ArgumentParser
import KinelogClient

/// `--by` on the command line.
enum ClockArgument: String, CaseIterable, ExpressibleByArgument {
    case producer
    case server

    /// The clock that is meant.
    var clock: FragmentClock {
        switch self {
        case .producer: .producer
        case .server: .server
        }
    }
}
