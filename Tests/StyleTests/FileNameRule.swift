/// Finds files whose name is not that of what they declare.
enum FileNameRule {
    /// Names that say something other than a type, with the reason.
    static let exceptions: [String: String] = [
        "Sources/Playback/Reading/Samples.swift": "one function, of no type"
    ]

    /// One sentence for each file that declares nothing of its name.
    static func violations(in files: [SourceFile]) -> [String] {
        files.compactMap { file in
            guard exceptions[file.path] == nil else { return nil }
            let parts = file.name.split(separator: "+", maxSplits: 1)
            guard let type = parts.first else { return "\(file.path): no name" }
            if parts.count == 2 {
                if extended(by: file).contains(where: { $0 == type || $0.hasPrefix("\(type).") }) {
                    return nil
                }
                return "\(file.path): extends no \(type)"
            }
            if declared(by: file).contains(String(type)) { return nil }
            return "\(file.path): declares no \(type)"
        }
    }

    private static let keywords: Set<Substring> = [
        "struct", "class", "enum", "actor", "protocol", "typealias", "extension",
    ]

    /// Types declared or extended at the top level of a file.
    private static func declared(by file: SourceFile) -> Set<String> {
        Set(words(after: keywords, in: file))
    }

    private static func extended(by file: SourceFile) -> [String] {
        words(after: ["extension"], in: file)
    }

    private static func words(after keywords: Set<Substring>, in file: SourceFile) -> [String] {
        file.text.code.compactMap { line in
            guard let first = line.first, first != " " else { return nil }
            let words = line.split(separator: " ")
            guard let place = words.firstIndex(where: { keywords.contains($0) }),
                place + 1 < words.count
            else { return nil }
            return String(
                words[place + 1].prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
            )
        }
    }
}
