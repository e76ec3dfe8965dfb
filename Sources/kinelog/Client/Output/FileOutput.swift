/// A file that a command has written, as it says so.
enum FileOutput {
    private struct JSONFile: Encodable {
        var path: String
        var sizeBytes: Int64
    }

    /// Writes a line for a file to standard output.
    ///
    /// - Throws: ``CommandError`` when nobody reads it any more.
    static func line(_ path: String, _ byteCount: Int64, json: Bool) throws(CommandError) {
        if json {
            try JSONOutput.line(JSONFile(path: path, sizeBytes: byteCount))
        } else {
            try Terminal.line("\(path)  \(HumanText.bytes(byteCount))")
        }
    }
}
