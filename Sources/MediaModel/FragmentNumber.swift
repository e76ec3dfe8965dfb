/// The identity and order of a fragment within its stream.
///
/// A 160-bit integer written as 47 decimal digits, in the form Kinesis Video Streams uses
/// (`N = 2^156 + sequence · 2^92 + serverMilliseconds · 2^28 + random`), so that the order of the
/// text equals the order of the numbers and tools that decode the server time keep working.
package struct FragmentNumber: Hashable, Sendable {
    /// The ordering part: strictly increasing per stream, never reused, with holes.
    package let sequence: UInt64

    /// The server timestamp in milliseconds since 1970, as it was when the number was assigned.
    package let serverMilliseconds: UInt64

    /// 28 random bits, so that numbers of different streams do not coincide.
    package let random: UInt32

    /// How many decimal digits every fragment number has.
    package static let digitCount = 47

    /// Puts a number together from its parts.
    ///
    /// - Parameters:
    ///   - sequence: The ordering part; 1 for a stream's first fragment.
    ///   - serverMilliseconds: The server timestamp in milliseconds since 1970.
    ///   - random: Any value; only its low 28 bits are kept.
    package init(sequence: UInt64, serverMilliseconds: UInt64, random: UInt32) {
        self.sequence = sequence
        self.serverMilliseconds = serverMilliseconds
        self.random = random & 0x0FFF_FFFF
    }
}

extension FragmentNumber: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        if left.sequence != right.sequence { return left.sequence < right.sequence }
        if left.serverMilliseconds != right.serverMilliseconds {
            return left.serverMilliseconds < right.serverMilliseconds
        }
        return left.random < right.random
    }
}

extension FragmentNumber: CustomStringConvertible {
    /// The 47-digit decimal form, the only textual form of a fragment number.
    package var description: String {
        // Five 32-bit limbs, most significant first: 2^156 is bit 28 of the first.
        var limbs: [UInt64] = [
            (1 << 28) | (sequence >> 36),
            (sequence >> 4) & 0xFFFF_FFFF,
            ((sequence & 0xF) << 28) | (serverMilliseconds >> 36),
            (serverMilliseconds >> 4) & 0xFFFF_FFFF,
            ((serverMilliseconds & 0xF) << 28) | UInt64(random),
        ]
        var groups: [UInt64] = []
        while limbs.contains(where: { $0 != 0 }) {
            var remainder: UInt64 = 0
            for index in limbs.indices {
                let value = remainder << 32 | limbs[index]
                limbs[index] = value / 1_000_000_000
                remainder = value % 1_000_000_000
            }
            groups.append(remainder)
        }
        var text = ""
        for (index, group) in groups.reversed().enumerated() {
            let digits = String(group)
            if index > 0 { text += String(repeating: "0", count: 9 - digits.count) }
            text += digits
        }
        return text
    }

    /// Reads the decimal form.
    ///
    /// - Parameter text: 47 ASCII digits whose value lies in `2^156 ..< 2^157`.
    /// Gives `nil` when the text is anything else.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == Self.digitCount else { return nil }
        var limbs: [UInt64] = [0, 0, 0, 0, 0]
        for byte in text.utf8 {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            var carry = UInt64(byte - 0x30)
            for index in limbs.indices.reversed() {
                let value = limbs[index] * 10 + carry
                limbs[index] = value & 0xFFFF_FFFF
                carry = value >> 32
            }
            if carry != 0 { return nil }
        }
        guard limbs[0] >> 28 == 1 else { return nil }
        self.init(
            sequence: (limbs[0] & 0x0FFF_FFFF) << 36 | limbs[1] << 4 | limbs[2] >> 28,
            serverMilliseconds: (limbs[2] & 0x0FFF_FFFF) << 36 | limbs[3] << 4 | limbs[4] >> 28,
            random: UInt32(limbs[4] & 0x0FFF_FFFF)
        )
    }
}
