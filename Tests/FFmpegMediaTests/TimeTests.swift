@testable import FFmpegMedia
import MediaModel
import Testing

struct TimestampUnwrapperTests {
    @Test func `33 bits are unwrapped as often as they pass zero`() {
        let clock = Subject(TimestampUnwrapper())
        let period = Int64(1) << 33
        let start = period - 90_000
        // Six days in steps of ten minutes.
        for step in 0..<864 {
            let time = start + Int64(step) * 54_000_000
            #expect(clock.unwrap(time % period, bitCount: 33) == time)
        }
    }

    @Test func `a timestamp before its neighbour stays before it across zero`() {
        let clock = Subject(TimestampUnwrapper())
        let period = Int64(1) << 33
        #expect(clock.unwrap(period - 10, bitCount: 33) == period - 10)
        #expect(clock.unwrap(5, bitCount: 33) == period + 5)
        #expect(clock.unwrap(period - 3, bitCount: 33) == period - 3)
        #expect(clock.unwrap(nil, bitCount: 33) == nil)
        #expect(clock.unwrap(7, bitCount: 33) == period + 7)
    }

    @Test func `what libavformat has unwrapped already is left alone`() {
        let clock = Subject(TimestampUnwrapper())
        let period = Int64(1) << 33
        for time in [-90_000, 0, period / 4, period / 2, period * 3 / 4, period - 1, period + 1] {
            #expect(clock.unwrap(time, bitCount: 33) == time)
        }
    }

    @Test(arguments: [63, 64, 0, -1])
    func `other widths never start over`(bitCount: Int32) {
        let clock = Subject(TimestampUnwrapper())
        for time in [Int64.max, 0, .min, 5] {
            #expect(clock.unwrap(time, bitCount: bitCount) == time)
        }
    }

    @Test func `no timestamp traps`() {
        let clock = Subject(TimestampUnwrapper())
        for time in [Int64.max, .min + 1, 0, .max, -1, .min + 1, 1 << 62] {
            for bits in [1, 32, 33, 62] as [Int32] {
                _ = clock.unwrap(time, bitCount: bits)
            }
        }
    }
}

struct AudioContinuationTests {
    @Test(arguments: [(44_100, 1024), (48_000, 1024), (22_050, 1024), (44_100, 1152), (8000, 160)])
    func `an hour without a stated time do not drift by a tick`(
        rate: UInt32,
        frameSampleCount: UInt32
    ) throws {
        let continuation = Subject(
            AudioContinuation(
                timeBase: .mpegTS,
                sampleRate: rate,
                frameSampleCount: frameSampleCount
            )
        )
        #expect(continuation.next(stated: nil) == nil)
        #expect(continuation.next(stated: 126_000) == 126_000)
        let frames = Int64(rate) * 3600 / Int64(frameSampleCount)
        for frame in 1...frames {
            let samples = frame * Int64(frameSampleCount)
            // Rounded to the nearest tick.
            let ticks = (samples * 90_000 * 2 + Int64(rate)) / (Int64(rate) * 2)
            let time = continuation.next(stated: nil)
            if time != 126_000 + ticks {
                Issue.record("frame \(frame): \(time ?? -1)")
                return
            }
        }
    }

    @Test func `a stated time always wins`() {
        let continuation = Subject(
            AudioContinuation(
                timeBase: .mpegTS,
                sampleRate: 48_000,
                frameSampleCount: 1024
            )
        )
        #expect(continuation.next(stated: 0) == 0)
        #expect(continuation.next(stated: nil) == 1920)
        #expect(continuation.next(stated: 10_000) == 10_000)
        #expect(continuation.next(stated: nil) == 11_920)
        #expect(continuation.end == 13_840)
    }

    @Test func `an unknown frame length gives no time`() {
        let continuation = Subject(
            AudioContinuation(
                timeBase: .mpegTS,
                sampleRate: 48_000,
                frameSampleCount: 0
            )
        )
        #expect(continuation.next(stated: 5) == 5)
        #expect(continuation.next(stated: nil) == nil)
    }

    @Test func `frames of their own length count as they are`() {
        let continuation = Subject(
            AudioContinuation(timeBase: .mpegTS, sampleRate: 48_000, frameSampleCount: 0)
        )
        #expect(continuation.next(stated: 0, sampleCount: 960) == 0)
        #expect(continuation.next(stated: nil, sampleCount: 480) == 1800)
        #expect(continuation.end == 2700)
    }

    @Test func `what the container says about the length serves where nothing else does`() {
        let continuation = Subject(
            AudioContinuation(timeBase: .mpegTS, sampleRate: 48_000, frameSampleCount: 0)
        )
        #expect(continuation.next(stated: 0, duration: 1000) == 0)
        #expect(continuation.next(stated: nil, duration: 500) == 1000)
        #expect(continuation.end == 1500)
    }

    @Test func `times at the end of the range do not trap`() {
        let continuation = Subject(
            AudioContinuation(
                timeBase: .mpegTS,
                sampleRate: 1,
                frameSampleCount: .max
            )
        )
        #expect(continuation.next(stated: .max) == .max)
        #expect(continuation.next(stated: nil) == nil)
    }
}

/// A value in a box, since an expectation cannot call what changes a variable.
final class Subject<Value> {
    var value: Value

    init(_ value: Value) { self.value = value }
}

extension Subject<TimestampUnwrapper> {
    func unwrap(_ timestamp: Int64?, bitCount: Int32) -> Int64? {
        value.unwrap(timestamp, bitCount: bitCount)
    }
}

extension Subject<AudioContinuation> {
    var end: Int64? { value.end }

    func next(stated: Int64?, duration: Int64 = 0, sampleCount: UInt32? = nil) -> Int64? {
        value.next(stated: stated, duration: duration, sampleCount: sampleCount)
    }
}
