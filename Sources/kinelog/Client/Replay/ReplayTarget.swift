import ArgumentParser
import MediaModel

/// Where footage is replayed to.
enum ReplayTarget: Equatable {
    /// A file; `-` is standard output.
    case file(String)
    /// Another stream of the same server.
    case stream(String)
}

extension ReplayTarget: ExpressibleByArgument {
    init?(argument: String) {
        if argument.hasPrefix("stream:") {
            guard let name = StreamName(argument.dropFirst(7)) else { return nil }
            self = .stream(name.text)
        } else {
            guard !argument.isEmpty else { return nil }
            self = .file(argument)
        }
    }
}
