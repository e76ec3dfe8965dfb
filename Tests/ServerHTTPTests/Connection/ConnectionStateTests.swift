import NIOCore
import Testing

@testable import ServerHTTP

struct ConnectionStateTests {
    /// A state and the clock it is told.
    private struct Run {
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        var state: ConnectionState

        init() {
            var limits = ServerConfiguration()
            limits.requestHeadTimeout = .seconds(60)
            limits.readerStall = .seconds(40)
            limits.linger = .seconds(4)
            state = ConnectionState(limits, at: now)
        }

        mutating func pass(_ time: TimeAmount) { now = now + time }

        /// Looks as often as the state asks for until it closes; gives when and why.
        mutating func close(
            acknowledged: (TimeAmount) -> UInt64 = { _ in 0 }
        ) -> (TimeAmount, ConnectionState.Reason)? {
            let start = now
            for _ in 0..<1000 {
                guard let pause = state.nextLook else { return nil }
                pass(pause)
                let action = state.look(acknowledged: acknowledged(now - start), at: now)
                if case .close(let reason) = action { return (now - start, reason) }
            }
            return nil
        }

        mutating func answer(mayGoOn: Bool = true) -> ConnectionState.Action {
            state.headArrived()
            state.requestBegan()
            return state.responseEnded(mayGoOn: mayGoOn, at: now)
        }
    }

    @Test func `a head that does not come is waited for so long`() {
        var run = Run()
        let end = run.close()
        #expect(end?.1 == .idle)
        #expect((.seconds(60)...TimeAmount.seconds(75)).contains(end?.0 ?? .zero))
        #expect(run.state.phase == .closed)
        #expect(run.state.nextLook == nil)
    }

    @Test func `a request may take as long as it likes`() {
        var run = Run()
        run.state.headArrived()
        run.state.requestBegan()
        #expect(run.state.nextLook == nil)
        #expect(run.state.look(acknowledged: 0, at: run.now + .hours(1)) == .none)
    }

    @Test func `a reader that takes nothing is closed, one that takes a little is not`() {
        var run = Run()
        run.state.headArrived()
        run.state.requestBegan()
        run.state.becomes(full: true, at: run.now)
        var slow = run
        // A byte in thirty seconds, for three minutes.
        let end = slow.close { time in UInt64(min(time, .minutes(3)) / .seconds(30)) }
        #expect(end?.1 == .stalled)
        #expect((.seconds(220)...TimeAmount.seconds(245)).contains(end?.0 ?? .zero))
        let stalled = run.close()
        #expect(stalled?.1 == .stalled)
        #expect((.seconds(40)...TimeAmount.seconds(50)).contains(stalled?.0 ?? .zero))
    }

    @Test func `a connection that is read slowly is not idle`() {
        var run = Run()
        #expect(run.answer() == .none)
        #expect(run.state.phase == .awaitingHead)
        // What the kernel still held is read for ten minutes.
        let end = run.close { time in UInt64(min(time, .minutes(10)) / .seconds(1)) }
        #expect(end?.1 == .idle)
        #expect((end?.0 ?? .zero) >= .minutes(11))
    }

    @Test func `requests follow each other, also those that came early`() {
        var run = Run()
        run.state.headArrived()
        run.state.headArrived()
        run.state.requestBegan()
        // The peer sends nothing more, but is owed a second answer.
        #expect(run.state.peerDone() == .none)
        #expect(run.state.responseEnded(mayGoOn: true, at: run.now) == .none)
        run.state.requestBegan()
        #expect(run.state.responseEnded(mayGoOn: true, at: run.now) == .flush)
    }

    @Test func `the last response is with the kernel before its peer is told that it was`() {
        var run = Run()
        #expect(run.answer(mayGoOn: false) == .flush)
        #expect(run.state.phase == .flushing)
        #expect(run.state.flushed(at: run.now) == .closeOutput)
        #expect(run.state.phase == .lingering)
        // As soon as the peer has closed as well, nothing is waited for.
        #expect(run.state.peerDone() == .close(.finished))
        #expect(run.state.peerDone() == .none)
    }

    @Test func `of a peer that is done nothing is unread, so that its connection is closed`() {
        var run = Run()
        run.state.headArrived()
        run.state.requestBegan()
        #expect(run.state.peerDone() == .none)
        #expect(run.state.responseEnded(mayGoOn: true, at: run.now) == .flush)
        #expect(run.state.flushed(at: run.now) == .close(.finished))
    }

    @Test func `a peer that does not take the last response does not hold the connection`() {
        var flushing = Run()
        #expect(flushing.answer(mayGoOn: false) == .flush)
        #expect(flushing.close()?.1 == .stalled)
        var lingering = Run()
        _ = lingering.answer(mayGoOn: false)
        _ = lingering.state.flushed(at: lingering.now)
        let end = lingering.close()
        #expect(end?.1 == .finished)
        #expect((.seconds(4)...TimeAmount.seconds(5)).contains(end?.0 ?? .zero))
    }

    @Test func `a peer that reads the last response is given the time it needs`() {
        var run = Run()
        _ = run.answer(mayGoOn: false)
        _ = run.state.flushed(at: run.now)
        let end = run.close { time in UInt64(min(time, .minutes(1)) / .seconds(1)) }
        #expect((end?.0 ?? .zero) >= .seconds(64))
    }

    @Test func `at a shutdown an idle connection ends, and a busy one with its response`() {
        var idle = Run()
        #expect(idle.state.stop() == .close(.finished))
        var busy = Run()
        busy.state.headArrived()
        busy.state.requestBegan()
        #expect(busy.state.stop() == .none)
        #expect(busy.state.responseEnded(mayGoOn: true, at: busy.now) == .flush)
        // One whose head has come is told that it comes too late.
        var early = Run()
        early.state.headArrived()
        #expect(early.state.stop() == .none)
        early.state.requestBegan()
        #expect(early.state.responseEnded(mayGoOn: false, at: early.now) == .flush)
        #expect(early.state.stopNow() == .close(.cutOff))
        #expect(early.state.stopNow() == .none)
    }

    @Test func `nothing is done for a connection that is gone`() {
        var run = Run()
        run.state.headArrived()
        run.state.requestBegan()
        run.state.gone()
        #expect(run.state.responseEnded(mayGoOn: true, at: run.now) == .none)
        #expect(run.state.flushed(at: run.now) == .none)
        #expect(run.state.stop() == .none)
        #expect(run.state.stopNow() == .none)
        #expect(run.state.nextLook == nil)
    }

    @Test(arguments: [0, 1, 3, 10, 60])
    func `answers to producers have their part of the drain time`(seconds: Int64) {
        var configuration = ServerConfiguration()
        configuration.drain = .seconds(seconds)
        #expect(configuration.answerTime <= .seconds(5))
        #expect(configuration.answerTime.nanoseconds * 2 <= configuration.drain.nanoseconds)
    }
}

extension TimeAmount {
    fileprivate static func / (left: TimeAmount, right: TimeAmount) -> Int64 {
        left.nanoseconds / right.nanoseconds
    }
}
