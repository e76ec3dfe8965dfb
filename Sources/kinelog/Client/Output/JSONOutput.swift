import FoundationEssentials

/// Output for machines.
enum JSONOutput {
    /// Writes a value as one line of JSON to standard output.
    ///
    /// - Throws: ``CommandError`` when nobody reads it any more.
    static func line(_ value: some Encodable) throws(CommandError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text: String
        do {
            text = String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw CommandError("Could not write JSON: \(error)")
        }
        try Terminal.line(text)
    }
}
