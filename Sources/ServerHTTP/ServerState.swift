import FragmentLog
import Logging
import NIOCore

/// What all requests share.
struct ServerState: Sendable {
    let log: FragmentLog
    let configuration: ServerConfiguration
    let rules: OpenModeRules
    let logger: Logger
    let connections: ConnectionCount
    /// Held by the check of what is stored that is running.
    let verifying = Turnstile()
}
