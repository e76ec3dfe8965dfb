import FragmentLog
import MediaModel

extension ProducerSession {
    /// Stores that media was refused of which nothing was kept, so that no producer time is known.
    ///
    /// - Parameters:
    ///   - reason: Why.
    ///   - arrival: When its first byte arrived.
    func reportRefusal(_ reason: GapReason, at arrival: Timestamp) {
        report(Gap(start: arrival, end: arrival, clock: .server, reason: reason))
    }
}
