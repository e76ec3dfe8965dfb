/// Finds declarations for other targets that say nothing about themselves.
enum DocumentationRule {
    /// Members whose meaning a protocol of the standard library gives.
    private static let inherited: [String] = [
        "var description: String", "var debugDescription: String", "func hash(into", "func ==",
        "func <", "func next(", "func makeAsyncIterator(", "let rawValue", "var rawValue",
        "init(rawValue", "func encode(to", "init(from decoder", "typealias Element",
        "var startIndex", "var endIndex", "subscript(position", "func index(after",
    ]

    private static let modifiers: Set<Substring> = [
        "static", "final", "mutating", "nonmutating", "consuming", "borrowing", "indirect",
        "nonisolated", "override", "convenience", "required", "lazy", "weak", "unowned", "class",
        "private(set)", "fileprivate(set)", "internal(set)", "isolated",
    ]

    private static let kinds: Set<Substring> = [
        "func", "var", "let", "init", "struct", "enum", "class", "actor", "protocol", "typealias",
        "subscript", "extension", "case", "associatedtype",
    ]

    /// One sentence for each `package` or `public` declaration without a doc comment.
    static func violations(in files: [SourceFile]) -> [String] {
        files.flatMap { file in
            file.text.code.indices.compactMap { index in
                guard let declaration = declaration(file.text.code[index]),
                    !inherited.contains(where: { declaration.contains($0) }),
                    !isDocumented(index, file.text)
                else { return nil }
                return "\(file.path):\(index + 1): '\(declaration)' has no doc comment"
            }
        }
    }

    /// The declaration that a line opens, when other targets see it; extensions are not declarations.
    private static func declaration(_ line: Substring) -> String? {
        var words = line.split(separator: " ")[...]
        while let word = words.first, word.hasPrefix("@") { words = words.dropFirst() }
        var isVisible = false
        while let word = words.first {
            if word == "package" || word == "public" {
                isVisible = true
            } else if !modifiers.contains(word) || (word == "class" && isTypeNext(words)) {
                break
            }
            words = words.dropFirst()
        }
        guard isVisible, let word = words.first else { return nil }
        let kind = word.prefix { $0.isLetter }
        guard kinds.contains(kind), kind != "extension" else { return nil }
        return words.joined(separator: " ")
    }

    /// Whether `class` opens a declaration, rather than marking a member as one of the type's own.
    private static func isTypeNext(_ words: ArraySlice<Substring>) -> Bool {
        guard let next = words.dropFirst().first else { return true }
        return !["func", "var"].contains(next)
    }

    /// Whether a doc comment ends on the line above, attributes aside.
    private static func isDocumented(_ index: Int, _ text: SwiftText) -> Bool {
        var line = index - 1
        while line >= 0 {
            let above = text.lines[line].drop { $0 == " " }
            if above.hasPrefix("///") { return true }
            guard above.hasPrefix("@") else { return false }
            line -= 1
        }
        return false
    }
}
