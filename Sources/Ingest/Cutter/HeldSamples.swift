import NIOCore

/// Samples held back for a fragment to come, bounded.
struct HeldSamples: Sendable {
    private var samples = CircularBuffer<TimedSample>()
    private var byteCount = 0

    var isEmpty: Bool { samples.isEmpty }
    var first: TimedSample? { samples.first }

    /// Adds a sample; gives those that had to go, oldest first.
    mutating func append(_ sample: TimedSample, countMax: Int, bytesMax: Int) -> [TimedSample] {
        samples.append(sample)
        byteCount += sample.sample.size
        var gone: [TimedSample] = []
        while samples.count > 1, samples.count > countMax || byteCount > bytesMax {
            let oldest = samples.removeFirst()
            byteCount -= oldest.sample.size
            gone.append(oldest)
        }
        return gone
    }

    /// Takes the oldest samples out for as long as they meet a condition.
    mutating func takeFirst(while condition: (TimedSample) -> Bool) -> [TimedSample] {
        var taken: [TimedSample] = []
        while let oldest = samples.first, condition(oldest) {
            byteCount -= oldest.sample.size
            taken.append(samples.removeFirst())
        }
        return taken
    }

    /// Takes out the samples that meet a condition, oldest first.
    mutating func take(where condition: (TimedSample) -> Bool) -> [TimedSample] {
        // Most calls find nothing.
        guard samples.contains(where: condition) else { return [] }
        var taken: [TimedSample] = []
        var kept = CircularBuffer<TimedSample>()
        for sample in samples {
            if condition(sample) { taken.append(sample) } else { kept.append(sample) }
        }
        samples = kept
        byteCount = kept.reduce(0) { $0 + $1.sample.size }
        return taken
    }

    /// Takes out everything.
    mutating func takeAll() -> [TimedSample] {
        defer { self = HeldSamples() }
        return Array(samples)
    }
}
