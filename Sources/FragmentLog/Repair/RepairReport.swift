/// What a repair of a data directory found, did and could not do.
package struct RepairReport: Equatable, Sendable {
    /// One change that was made.
    package struct Action: Equatable, Sendable, CustomStringConvertible {
        /// The file, relative to the data directory.
        package var file: String
        /// What was done to it.
        package var message: String

        package var description: String { "\(file): \(message)" }
    }

    /// What was found at first.
    package var before = VerifyReport()

    /// What was done, in order; empty when nothing had to be.
    package var actions: [Action] = []

    /// What could not be restored, a sentence each.
    package var losses: [String] = []

    /// What a check finds now.
    ///
    /// Damaged fragments are still among it: they are left where they are.
    package var after = VerifyReport()

    /// An empty report.
    package init() {}

    mutating func did(_ file: String, _ message: String) {
        actions.append(Action(file: file, message: message))
    }
}
