/// Finds imports that the table does not allow.
enum ImportRule {
    /// The modules that a file imports, each with its line, counted from 1.
    static func imports(of file: SourceFile) -> [(module: String, line: Int)] {
        let kinds: Set<Substring> = [
            "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
        ]
        return file.text.code.enumerated().flatMap { index, line in
            line.split(separator: ";").compactMap { statement -> (String, Int)? in
                var words = statement.split(separator: " ")[...]
                guard let place = words.firstIndex(of: "import"),
                    words[..<place].allSatisfy({ isImportModifier($0) })
                else { return nil }
                words = words[(place + 1)...]
                if let first = words.first, kinds.contains(first) { words = words.dropFirst() }
                guard let module = words.first?.split(separator: ".").first else { return nil }
                return (String(module), index + 1)
            }
        }
    }

    private static func isImportModifier(_ word: Substring) -> Bool {
        word.hasPrefix("@")
            || ["public", "package", "internal", "fileprivate", "private"].contains(word)
    }

    /// One sentence for each import that is not allowed.
    static func violations(in files: [SourceFile]) -> [String] {
        files.flatMap { file in
            imports(of: file).compactMap { module, line in
                guard !ImportTable.allows(file.target, module) else { return nil }
                return "\(file.path):\(line): \(file.target) may not import \(module)"
            }
        }
    }

    /// One sentence for each dependency in the manifest that is not allowed.
    static func violations(inManifest text: String) -> [String] {
        ManifestReader(text).targets.flatMap { target in
            guard ImportTable.ownTargets[target.name] != nil else { return [String]() }
            return target.dependencies.compactMap { module in
                guard !ImportTable.allows(target.name, module) else { return nil }
                return "Package.swift: \(target.name) may not depend on \(module)"
            }
        }
    }

    /// One sentence for each target that is in the sources but not in the table.
    static func unknownTargets(in files: [SourceFile]) -> [String] {
        Set(files.map(\.target)).subtracting(ImportTable.ownTargets.keys).sorted().map {
            "Sources/\($0) is not in the import table"
        }
    }
}
