package import MediaModel

/// When something arrived, on both clocks of the server.
///
/// Rates are judged on the boot clock, which never steps; producer times are given on the wall
/// clock, which may.
package struct Arrival: Equatable, Sendable {
    /// The wall clock.
    package var wall: Timestamp

    /// Milliseconds since boot.
    package var bootMs: Int64

    /// A moment from its two readings.
    package init(wall: Timestamp, bootMs: Int64) {
        self.wall = wall
        self.bootMs = bootMs
    }
}
