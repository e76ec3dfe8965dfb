/// Finds declarations that programs outside the package could see.
enum PublicRule {
    /// One sentence for each `public` or `open` declaration or import.
    static func violations(in files: [SourceFile]) -> [String] {
        files.flatMap { file in
            file.text.code.enumerated().compactMap { index, line in
                let words = line.split { " (".contains($0) }
                let isOpen =
                    words.first == "open"
                    && ["class", "func", "var"].contains(words.dropFirst().first)
                guard words.contains("public") || isOpen else { return nil }
                return "\(file.path):\(index + 1): declare it package"
            }
        }
    }
}
