import ArgumentParser
import KinelogClient
import MediaModel

/// A time on the command line.
struct TimeArgument: ExpressibleByArgument {
    /// The time as the server takes it.
    let point: TimePoint

    /// The same time as a value.
    let reference: TimeReference

    init?(argument: String) {
        guard let point = try? TimePoint(argument), let reference = TimeReference(argument) else {
            return nil
        }
        self.point = point
        self.reference = reference
    }
}
