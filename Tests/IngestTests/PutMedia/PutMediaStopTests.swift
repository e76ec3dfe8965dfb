import FragmentLog
@testable import Ingest
import MediaModel
import Testing

@Suite struct PutMediaStopTests {
    @Test(arguments: [
        (LogError.Code.diskFull, GapReason.diskFull), (.ioError, .ioError), (.memory, .memory),
        (.streamDeleted, .deleted), (.shuttingDown, .restart),
    ])
    func `a failure of the log leaves a gap with its own reason`(
        code: LogError.Code,
        reason: GapReason
    ) {
        #expect(PutMediaStop(LogError(code, "")).gapReason == reason)
    }

    @Test func `where a newer connection sends nothing is missing`() {
        #expect(PutMediaStop(LogError(.takenOver, "")).gapReason == nil)
    }

    /// Of a newcomer that is refused the log tells by itself, once.
    @Test func `a refusal is no second gap`() {
        #expect(PutMediaStop(LogError(.contention, "")).gapReason == nil)
    }
}
