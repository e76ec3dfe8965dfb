import ArgumentParser
import MediaModel

/// The name of a stream on the command line, checked before a server is asked.
struct StreamArgument: ExpressibleByArgument {
    /// The name as text.
    let text: String

    init?(argument: String) {
        guard StreamName(argument) != nil else { return nil }
        text = argument
    }
}

extension StreamArgument: CustomStringConvertible {
    var description: String { text }
}
