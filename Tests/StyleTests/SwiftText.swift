/// The code of a Swift file with its comments and the insides of its strings blanked out.
///
/// Every byte that is taken away becomes a space, so that lines and columns stay where they were.
/// Interpolations inside strings are blanked too: no rule here is about them.
struct SwiftText {
    /// The file as it is, by line.
    let lines: [Substring]

    /// The file without comments and string contents, by line.
    let code: [Substring]

    /// Reads a file's text.
    init(_ text: String) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        code = Self.blanked(text).split(separator: "\n", omittingEmptySubsequences: false)
    }

    private static func blanked(_ text: String) -> String {
        var scanner = Blanking(Array(text.utf8))
        scanner.run()
        return String(decoding: scanner.output, as: UTF8.self)
    }
}

/// A pass over the bytes of a file that copies code and blanks the rest.
private struct Blanking {
    private let input: [UInt8]
    private var index = 0
    private(set) var output: [UInt8] = []

    init(_ input: [UInt8]) {
        self.input = input
        output.reserveCapacity(input.count)
    }

    mutating func run() {
        while index < input.count {
            if starts(with: "//") {
                while index < input.count, input[index] != 0x0A { blank() }
            } else if starts(with: "/*") {
                skipBlockComment()
            } else if let pounds = openingPounds() {
                skipString(pounds: pounds)
            } else {
                copy()
            }
        }
    }

    private func starts(with text: StaticString, at offset: Int = 0) -> Bool {
        let wanted = Array(text.description.utf8)
        let start = index + offset
        return start + wanted.count <= input.count
            && input[start..<start + wanted.count].elementsEqual(wanted)
    }

    private mutating func copy() {
        output.append(input[index])
        index += 1
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where index < input.count {
            output.append(input[index] == 0x0A ? 0x0A : 0x20)
            index += 1
        }
    }

    private mutating func skipBlockComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                blank(2)
            } else if starts(with: "*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && index < input.count
    }

    /// How many `#` a string literal that begins here has; `nil` when none begins here.
    private func openingPounds() -> Int? {
        var count = 0
        while index + count < input.count, input[index + count] == UInt8(ascii: "#") { count += 1 }
        return starts(with: "\"", at: count) ? count : nil
    }

    private func closes(pounds: Int, quotes: Int) -> Bool {
        let end = index + quotes + pounds
        guard end <= input.count else { return false }
        return input[index..<index + quotes].allSatisfy { $0 == UInt8(ascii: "\"") }
            && input[index + quotes..<end].allSatisfy { $0 == UInt8(ascii: "#") }
    }

    private mutating func skipString(pounds: Int) {
        for _ in 0..<pounds { copy() }
        let quotes = starts(with: "\"\"\"") ? 3 : 1
        for _ in 0..<quotes { copy() }
        while index < input.count, !closes(pounds: pounds, quotes: quotes) {
            if quotes == 1, input[index] == 0x0A { return }
            guard isEscape(pounds: pounds) else {
                blank()
                continue
            }
            blank(1 + pounds)
            if starts(with: "(") {
                skipInterpolation()
            } else {
                blank()
            }
        }
        for _ in 0..<quotes + pounds where index < input.count { copy() }
    }

    private func isEscape(pounds: Int) -> Bool {
        guard input[index] == UInt8(ascii: "\\"), index + pounds < input.count else { return false }
        return input[index + 1..<index + 1 + pounds].allSatisfy { $0 == UInt8(ascii: "#") }
    }

    /// Blanks `(…)`, which may hold strings of its own.
    private mutating func skipInterpolation() {
        var depth = 0
        repeat {
            if let pounds = openingPounds() {
                let before = output.count
                skipString(pounds: pounds)
                for place in before..<output.count where output[place] != 0x0A {
                    output[place] = 0x20
                }
                continue
            }
            if input[index] == UInt8(ascii: "(") { depth += 1 }
            if input[index] == UInt8(ascii: ")") { depth -= 1 }
            blank()
        } while depth > 0 && index < input.count
    }
}
