import Ingest
import MediaModel
import Testing

@Suite struct SessionClockTests {
    private static let epoch: Int64 = 1_795_255_200_000

    private static func arrival(_ ms: Int64, wallStep: Int64 = 0) -> Arrival {
        Arrival(wall: Timestamp(milliseconds: epoch + ms + wallStep), bootMs: 5_000_000 + ms)
    }

    @Test func `absolute media time is producer time`() {
        var clock = SessionClock.absolute
        clock.observe(mediaMs: 7, arrival: Self.arrival(0))
        #expect(clock.open(atMediaMs: 1_711_124_585_823).producer.milliseconds == 1_711_124_585_823)
        clock.jump(toMediaMs: 5, fromMediaMs: 1_711_124_585_823, arrival: Self.arrival(0))
        #expect(clock.open(atMediaMs: 5).producer.milliseconds == 5)
    }

    @Test func `a named start is the time of the first sample for ever`() {
        var clock = SessionClock.starting(at: Timestamp(milliseconds: Self.epoch))
        for second in Int64(0)..<100_000 {
            clock.observe(mediaMs: 1400 + second * 1000, arrival: Self.arrival(second * 1100))
        }
        let reading = clock.open(atMediaMs: 1400 + 99_999_000)
        #expect(reading.producer.milliseconds == Self.epoch + 99_999_000)
        #expect(reading.errorMs == 0)
    }

    @Test(arguments: [0.01, 0.5, 2, 100])
    func `a session out of real time keeps the time of its first arrival`(speed: Double) {
        var clock = SessionClock.arrival
        for second in Int64(0)..<10_000 {
            clock.observe(
                mediaMs: second * 1000,
                arrival: Self.arrival(Int64(Double(second) * 1000 / speed))
            )
            let reading = clock.open(atMediaMs: second * 1000)
            #expect(reading.producer.milliseconds == Self.epoch + second * 1000)
            #expect(!reading.isStep)
        }
    }

    /// A week of a camera whose clock is off, with jitter and now and then ten seconds of congestion:
    /// producer time stays with the capture time, bends gently and never steps.
    @Test(arguments: [Int64(-200), -20, 0, 20, 200])
    func `a week of drift is followed without a step`(ppm: Int64) {
        var clock = SessionClock.arrival
        var random = SplitMix(seed: UInt64(bitPattern: ppm))
        var last: Int64 = 0
        var worst: Int64 = 0
        var lastProducer = Int64.min
        var steps = 0
        var bend: Int64 = 0
        for second in Int64(0)..<604_800 {
            let captured = second * 1000
            let media = captured + captured * ppm / 1_000_000
            // 20 ms of latency, jitter of 30 ms, and 3 s of congestion for 10 s every hour.
            let congested = second % 3600 > 3590
            let delay = 20 + Int64.random(in: 0..<30, using: &random) + (congested ? 3000 : 0)
            clock.observe(mediaMs: media, arrival: Self.arrival(captured + delay))
            let reading = clock.open(atMediaMs: media)
            let producer = reading.producer.milliseconds
            if reading.isStep { steps += 1 }
            if second > 600 {
                worst = max(worst, abs(producer - Self.epoch - captured))
                bend = max(bend, abs(producer - lastProducer - (media - last)))
            }
            lastProducer = producer
            last = media
        }
        #expect(steps == 0)
        #expect(worst <= 60)
        #expect(bend <= 1)
    }

    @Test func `delay at the start is taken back slowly`() {
        var clock = SessionClock.arrival
        clock.observe(mediaMs: 0, arrival: Self.arrival(400))
        _ = clock.open(atMediaMs: 0)
        var readings: [Int64] = []
        for second in Int64(1)...2000 {
            clock.observe(mediaMs: second * 1000, arrival: Self.arrival(second * 1000))
            readings.append(
                clock.open(atMediaMs: second * 1000).producer.milliseconds - Self.epoch - second
                    * 1000
            )
        }
        #expect(readings[0] == 400)
        #expect(readings[499] < 160)
        #expect(readings[1999] == 0)
        #expect(zip(readings, readings.dropFirst()).allSatisfy { $0 - $1 <= 1 && $0 >= $1 })
    }

    @Test func `a burst at the start is corrected by one step once the session runs in real time`()
    {
        var clock = SessionClock.arrival
        var steps: [Int64] = []
        // Two seconds of backlog at once, then real time.
        for frame in Int64(0)..<25 * 120 {
            let media = frame * 40
            let at = max(2000, media)
            clock.observe(mediaMs: media, arrival: Self.arrival(at))
            if frame % 25 == 0, clock.open(atMediaMs: media).isStep { steps.append(media) }
        }
        #expect(steps.count == 1)
        #expect(clock.producer(ofMediaMs: 119_000).milliseconds == Self.epoch + 119_000)
    }

    @Test func `a pause of the encoder that its timestamps hide is one step after a minute`() {
        var clock = SessionClock.arrival
        var steps = 0
        for second in Int64(0)..<600 {
            let late: Int64 = second < 300 ? 0 : 3000
            clock.observe(mediaMs: second * 1000, arrival: Self.arrival(second * 1000 + late))
            if clock.open(atMediaMs: second * 1000).isStep { steps += 1 }
        }
        #expect(steps == 1)
        #expect(clock.producer(ofMediaMs: 599_000).milliseconds == Self.epoch + 602_000)
    }

    @Test(arguments: [Int64(-3_600_000), 315_360_000_000])
    func `a step of the wall clock is one step of the producer clock`(step: Int64) {
        var clock = SessionClock.arrival
        var steps = 0
        for second in Int64(0)..<300 {
            clock.observe(
                mediaMs: second * 1000,
                arrival: Self.arrival(second * 1000, wallStep: second < 100 ? 0 : step)
            )
            if clock.open(atMediaMs: second * 1000).isStep { steps += 1 }
        }
        #expect(steps == 1)
        #expect(clock.producer(ofMediaMs: 299_000).milliseconds == Self.epoch + 299_000 + step)
    }

    @Test func `a jump of media time in real time is anchored at arrival`() {
        var clock = SessionClock.arrival
        for second in Int64(0)..<100 {
            clock.observe(mediaMs: second * 1000, arrival: Self.arrival(second * 1000))
        }
        clock.jump(toMediaMs: 5_000_000, fromMediaMs: 100_000, arrival: Self.arrival(100_000))
        #expect(clock.producer(ofMediaMs: 5_000_000).milliseconds == Self.epoch + 100_000)
    }

    @Test func `a jump that arrival confirms leaves the clock alone`() {
        var clock = SessionClock.arrival
        for second in Int64(0)..<100 {
            clock.observe(mediaMs: second * 1000, arrival: Self.arrival(second * 1000))
        }
        clock.jump(toMediaMs: 160_000, fromMediaMs: 100_000, arrival: Self.arrival(160_200))
        #expect(clock.producer(ofMediaMs: 160_000).milliseconds == Self.epoch + 160_000)
    }

    @Test(
        arguments: [
            (30_000, 40_000), (3_599_999, 3_609_999), (3_700_000, 10_000), (-5000, 10_000),
            (Int64.max / 1000, 10_000),
        ] as [(Int64, Int64)]
    )
    func `a jump in a file is a pause or goes on where the media ended`(
        jump: Int64,
        producer: Int64
    ) {
        var clock = SessionClock.starting(at: Timestamp(milliseconds: Self.epoch))
        clock.observe(mediaMs: 0, arrival: Self.arrival(0))
        let target = 10_000 + jump
        clock.jump(toMediaMs: target, fromMediaMs: 10_000, arrival: Self.arrival(1))
        #expect(clock.producer(ofMediaMs: target).milliseconds == Self.epoch + producer)
    }

    @Test func `producer time stays between 1970 and the year 9999`() {
        var clock = SessionClock.starting(at: Timestamp(milliseconds: 0))
        clock.observe(mediaMs: 10_000, arrival: Self.arrival(0))
        #expect(clock.producer(ofMediaMs: 0).milliseconds == 0)
        #expect(
            clock.producer(ofMediaMs: .max).milliseconds == Timestamp.endOfTime.milliseconds - 1
        )
        #expect(clock.open(atMediaMs: .min).producer.milliseconds == 0)
    }
}
