import ArgumentParser
import FragmentLog
import NIOCore
import ServerHTTP
import Testing

@testable import kinelog

/// What `kinelog serve` makes of its options.
struct ServeOptionTests {
    private func parsed(_ arguments: String...) throws -> ServeCommand {
        try #require(try Kinelog.parseAsRoot(["serve"] + arguments) as? ServeCommand)
    }

    @Test func `without options the defaults hold`() throws {
        let command = try parsed()
        let log = command.logConfiguration
        let standard = LogConfiguration(directory: "")
        #expect(log.openFragmentBytesMax == standard.openFragmentBytesMax)
        #expect(log.sessionsMax == standard.sessionsMax)
        #expect(log.freeBytesMin == standard.freeBytesMin)
        #expect(log.silentTakeoverMilliseconds == standard.silentTakeoverMilliseconds)
        #expect(log.contentionMilliseconds == standard.contentionMilliseconds)
        #expect(log.sweepMilliseconds == standard.sweepMilliseconds)
        #expect(log.defaultRetentionHours == standard.defaultRetentionHours)
        let server = command.serverConfiguration
        let limits = ProducerLimits()
        #expect(server.producer.fragmentBytesMax == limits.fragmentBytesMax)
        #expect(server.producer.fragmentTimeMax == limits.fragmentTimeMax)
        #expect(server.producer.trackCountMax == limits.trackCountMax)
        #expect(server.producer.headerBytesMax == limits.headerBytesMax)
        let times = ServerConfiguration()
        #expect(server.pushIdle == times.pushIdle)
        #expect(server.readerStall == times.readerStall)
        #expect(server.drain == times.drain)
        #expect(server.requestHeadTimeout == times.requestHeadTimeout)
        #expect(server.acknowledgementIdle == times.acknowledgementIdle)
        #expect(server.getMediaSilence == times.getMediaSilence)
        #expect(server.continuePause == times.continuePause)
        #expect(server.linger == times.linger)
        #expect(server.connectionsMax == times.connectionsMax)
    }

    @Test func `each option sets what it names`() throws {
        let command = try parsed(
            "--open-memory",
            "8MiB",
            "--max-sessions",
            "3",
            "--min-free",
            "1GiB",
            "--default-retention",
            "48",
            "--max-connections",
            "5",
            "--max-fragment-size",
            "1MiB",
            "--max-fragment-time",
            "1500ms",
            "--max-tracks",
            "2",
            "--max-header",
            "64KiB",
            "--push-idle",
            "1s",
            "--reader-stall",
            "2s",
            "--drain",
            "3s",
            "--head-timeout",
            "4s",
            "--ack-idle",
            "5s",
            "--get-media-silence",
            "6s",
            "--takeover-silence",
            "700ms",
            "--contention-time",
            "2m",
            "--sweep-interval",
            "9s"
        )
        let log = command.logConfiguration
        #expect(log.openFragmentBytesMax == 8 << 20)
        #expect(log.sessionsMax == 3)
        #expect(log.freeBytesMin == 1 << 30)
        #expect(log.defaultRetentionHours == 48)
        #expect(log.silentTakeoverMilliseconds == 700)
        #expect(log.contentionMilliseconds == 120_000)
        #expect(log.sweepMilliseconds == 9000)
        let server = command.serverConfiguration
        #expect(server.connectionsMax == 5)
        #expect(server.producer.fragmentBytesMax == 1 << 20)
        #expect(server.producer.fragmentTimeMax == .milliseconds(1500))
        #expect(server.producer.trackCountMax == 2)
        #expect(server.producer.headerBytesMax == 64 << 10)
        #expect(server.pushIdle == .seconds(1))
        #expect(server.readerStall == .seconds(2))
        #expect(server.drain == .seconds(3))
        #expect(server.requestHeadTimeout == .seconds(4))
        #expect(server.acknowledgementIdle == .seconds(5))
        #expect(server.getMediaSilence == .seconds(6))
    }

    @Test(arguments: [
        ("--max-fragment-size", "1KiB", "64KiB to 512MiB"),
        ("--max-fragment-size", "1GiB", "64KiB to 512MiB"),
        ("--max-fragment-time", "10ms", "100ms to 32s"), ("--max-fragment-time", "33s", "100ms"),
        ("--max-tracks", "0", "1 to 64"), ("--max-tracks", "65", "1 to 64"),
        ("--max-header", "1", "1KiB to 64MiB"), ("--max-header", "65MiB", "1KiB to 64MiB"),
        ("--takeover-silence", "0s", "--takeover-silence"),
        ("--contention-time", "0s", "--contention-time"),
        ("--sweep-interval", "0ms", "--sweep-interval"),
        ("--max-sessions", "0", "larger than zero"), ("--open-memory", "0", "larger than zero"),
    ])
    func `what cannot be held to is refused`(option: String, value: String, words: String) throws {
        let error = try #require(throws: (any Error).self) { try parsed(option, value) }
        #expect(Kinelog.exitCode(for: error) == .validationFailure)
        #expect(Kinelog.message(for: error).contains(words))
    }
}
