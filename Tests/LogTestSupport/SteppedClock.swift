import FragmentLog
package import MediaModel
import Synchronization

/// A wall clock and a boot clock that move only when a test says so.
package final class SteppedClock: WallClock {
    private struct State {
        var wall: Timestamp
        var boot: Int64
    }

    private let state: Mutex<State>

    /// Starts at an instant; the boot clock at one hour.
    package init(_ start: Timestamp = Timestamp(milliseconds: 1_795_255_200_000)) {
        state = Mutex(State(wall: start, boot: 3_600_000))
    }

    package func now() -> Timestamp { state.withLock { $0.wall } }

    package func bootMilliseconds() -> Int64 { state.withLock { $0.boot } }

    /// Time passes on both clocks.
    package func pass(milliseconds: Int64) {
        state.withLock { state in
            state.wall = state.wall.advanced(byMilliseconds: milliseconds)
            state.boot += milliseconds
        }
    }

    /// Somebody sets the wall clock.
    package func step(wallMilliseconds milliseconds: Int64) {
        state.withLock { $0.wall = $0.wall.advanced(byMilliseconds: milliseconds) }
    }
}
