import ArgumentParser

/// How fast footage is replayed: a number such as `1`, `4` or `0.5`, or `max`.
struct SpeedArgument: ExpressibleByArgument {
    let speed: Pacer.Speed

    /// As fast as it was taken.
    static let normal = SpeedArgument(.thousandths(1000))

    private init(_ speed: Pacer.Speed) { self.speed = speed }

    init?(argument: String) {
        if argument == "max" {
            speed = .max
            return
        }
        guard argument.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2E }),
            let factor = Double(argument), factor >= 0.01, factor <= 1000
        else { return nil }
        speed = .thousandths(Int64((factor * 1000).rounded()))
    }
}
