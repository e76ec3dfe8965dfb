import Testing

@testable import kinelog

struct PacerTests {
    @Test func `media waits for its time, at its own speed`() {
        var pacer = Pacer(speed: .thousandths(1000), pauseMillisecondsMax: 10_000)
        #expect(pacer.delay(for: 5000, at: 100) == 0)
        #expect(pacer.delay(for: 5040, at: 100) == 40)
        #expect(pacer.delay(for: 5080, at: 150) == 30)
        // Overdue, as after a slow reader.
        #expect(pacer.delay(for: 5120, at: 900) == 0)
        // Out of order, as B-frames are.
        #expect(pacer.delay(for: 5100, at: 900) == 0)
        #expect(pacer.delay(for: 6000, at: 1000) == 100)
    }

    @Test(arguments: [(4000, 250), (500, 2000), (1000, 1000)] as [(Int64, Int64)])
    func `a multiple of the speed divides the wait`(speed: Int64, wait: Int64) {
        var pacer = Pacer(speed: .thousandths(speed), pauseMillisecondsMax: 10_000)
        #expect(pacer.delay(for: 0, at: 0) == 0)
        #expect(pacer.delay(for: 1000, at: 0) == wait)
    }

    @Test func `at full speed nothing waits`() {
        var pacer = Pacer(speed: .max, pauseMillisecondsMax: .max)
        #expect(pacer.delay(for: 0, at: 0) == 0)
        #expect(pacer.delay(for: 100_000, at: 0) == 0)
    }

    @Test func `a long pause or a step back starts anew`() {
        var pacer = Pacer(speed: .thousandths(1000), pauseMillisecondsMax: 10_000)
        #expect(pacer.delay(for: 0, at: 0) == 0)
        #expect(pacer.delay(for: 3_600_000, at: 10) == 0)
        #expect(pacer.delay(for: 3_600_040, at: 10) == 40)
        #expect(pacer.delay(for: 1000, at: 20) == 0)
        #expect(pacer.delay(for: 1040, at: 20) == 40)
    }

    @Test(arguments: [Int64.min, .max])
    func `times at the ends of the range do not trap`(time: Int64) {
        var pacer = Pacer(speed: .thousandths(1), pauseMillisecondsMax: .max)
        #expect(pacer.delay(for: 0, at: 0) == 0)
        _ = pacer.delay(for: time, at: 0)
        _ = pacer.delay(for: -time.magnitude.asSigned, at: .max)
    }
}

extension UInt64 {
    fileprivate var asSigned: Int64 { Int64(clamping: self) }
}
