import Glibc

/// Why a command failed, in a sentence for the person who gave it.
struct CommandError: Error, CustomStringConvertible {
    /// What was attempted, what was found and what to do.
    let description: String

    /// The `errno` behind it, if there is one.
    let systemCode: Int32?

    /// An error with its sentence.
    init(_ description: String, systemCode: Int32? = nil) {
        self.description = description
        self.systemCode = systemCode
    }

    /// A system call that failed.
    static func system(_ attempt: String, _ code: Int32) -> CommandError {
        let why = unsafe String(cString: strerror(code))
        return CommandError("Could not \(attempt): \(why).", systemCode: code)
    }
}
