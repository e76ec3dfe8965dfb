@testable import FragmentLog
import Testing

/// Which of several producers a stream listens to.
@Suite struct TakeoverArbiterTests {
    private func arbiter() -> TakeoverArbiter {
        TakeoverArbiter(takeoversPerMinuteMax: 3, refusalMilliseconds: 60_000)
    }

    @Test func `the first session proceeds and so does every later sample of it`() {
        var arbiter = arbiter()
        #expect(arbiter.firstSample(of: 1, at: 0, isCurrentSending: false) == .proceed)
        #expect(arbiter.firstSample(of: 1, at: 9, isCurrentSending: true) == .proceed)
        #expect(arbiter.current == 1)
    }

    @Test func `a session that has ended is not taken over`() {
        var arbiter = arbiter()
        _ = arbiter.firstSample(of: 1, at: 0, isCurrentSending: false)
        arbiter.ended(1)
        #expect(arbiter.firstSample(of: 2, at: 5, isCurrentSending: false) == .proceed)
        arbiter.ended(1)
        #expect(arbiter.current == 2, "the end of an older session changes nothing")
    }

    @Test func `more than three takeovers a minute end in a refusal of a minute`() {
        var arbiter = arbiter()
        _ = arbiter.firstSample(of: 1, at: 0, isCurrentSending: false)
        for session in UInt64(2)...4 {
            let decision = arbiter.firstSample(
                of: session,
                at: Int64(session) * 1000,
                isCurrentSending: true
            )
            #expect(decision == .takeOver(from: session - 1))
        }
        #expect(
            arbiter.firstSample(of: 5, at: 5000, isCurrentSending: true)
                == .refuse(forMilliseconds: 60_000)
        )
        #expect(arbiter.current == 4, "the one that was sending goes on")
        #expect(arbiter.refusal(at: 5000) == 60_000)
        #expect(arbiter.refusal(at: 64_999) == 1)
        #expect(arbiter.refusal(at: 65_000) == 0)
        #expect(
            arbiter.firstSample(of: 6, at: 64_999, isCurrentSending: true)
                == .refuse(forMilliseconds: 1)
        )
        #expect(
            arbiter.firstSample(of: 7, at: 65_000, isCurrentSending: true) == .takeOver(from: 4)
        )
    }

    @Test func `takeovers of silent sessions do not count`() {
        var arbiter = arbiter()
        _ = arbiter.firstSample(of: 1, at: 0, isCurrentSending: false)
        for session in UInt64(2)...50 {
            #expect(
                arbiter.firstSample(of: session, at: Int64(session), isCurrentSending: false)
                    == .takeOver(from: session - 1)
            )
        }
        #expect(arbiter.refusal(at: 100) == 0)
    }

    @Test func `one takeover every twenty-one seconds for a day is never refused`() {
        var arbiter = arbiter()
        var session: UInt64 = 1
        _ = arbiter.firstSample(of: session, at: 0, isCurrentSending: false)
        for now in stride(from: Int64(21_000), through: 86_400_000, by: 21_000) {
            session += 1
            let decision = arbiter.firstSample(of: session, at: now, isCurrentSending: true)
            #expect(decision == .takeOver(from: session - 1), "at \(now)")
        }
    }

    @Test func `two producers that fight for a day take over at most three times a minute`() {
        var arbiter = arbiter()
        var takeovers: [Int64] = []
        var session: UInt64 = 1
        _ = arbiter.firstSample(of: session, at: 0, isCurrentSending: false)
        for now in stride(from: Int64(1000), through: 86_400_000, by: 1000) {
            session += 1
            if case .takeOver = arbiter.firstSample(of: session, at: now, isCurrentSending: true) {
                takeovers.append(now)
            }
        }
        for (index, time) in takeovers.enumerated() where index >= 3 {
            #expect(time - takeovers[index - 3] >= 60_000)
        }
        #expect(takeovers.count > 3 * 86_400 / 70, "they are let in again after each refusal")
    }
}
