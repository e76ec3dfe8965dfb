import FragmentLog
import Logging
import NIOCore

/// What all requests share.
struct ServerState: Sendable {
    let log: FragmentLog
    let configuration: ServerConfiguration
    let rules: OpenModeRules
    let logger: Logger
    /// Opens when the server is told to stop: what would go on for ever ends.
    let stopping = Latch()
    /// Opens when it can wait no longer: producers are cut off too.
    let cutting = Latch()
    /// Held by the check of what is stored that is running.
    let verifying = Turnstile()
}
