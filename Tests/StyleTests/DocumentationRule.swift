/// Finds declarations for other targets that say nothing about themselves.
enum DocumentationRule {
    /// Members whose meaning a protocol of the standard library gives.
    private static let inherited: [String] = [
        "var description: String", "var debugDescription: String", "func hash(into", "func ==",
        "func <", "func next(", "func makeAsyncIterator(", "let rawValue", "var rawValue",
        "init(rawValue", "func encode(to", "init(from decoder", "typealias Element",
        // ServiceLifecycle and ArgumentParser.
        "func run() async throws", "init?(argument: String)", "var defaultValueDescription",
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
                    !isDocumented(index, file.text), !isWitness(declaration, in: file)
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
            guard above.hasPrefix("@") || isSibling(text.code[line], of: text.code[index]) else {
                return false
            }
            line -= 1
        }
        return false
    }

    /// Whether a property belongs to the comment of the one on the line above, as `height` does to
    /// that of `width`.
    private static func isSibling(_ above: Substring, of line: Substring) -> Bool {
        guard let first = declaration(above), let second = declaration(line) else { return false }
        return ["var ", "let "].contains {
            first.hasPrefix($0) && second.hasPrefix($0)
        }
    }

    /// Whether a protocol in the same file has the member and says what it means.
    private static func isWitness(_ declaration: String, in file: SourceFile) -> Bool {
        let member = declaration.split(separator: "{").first.map { $0.drop { $0 == " " } } ?? ""
        let signature = member.reversed().drop { $0 == " " }.reversed()
        return file.text.code.enumerated().contains { index, line in
            line.drop { $0 == " " }.elementsEqual(signature) && isDocumented(index, file.text)
        }
    }
}
