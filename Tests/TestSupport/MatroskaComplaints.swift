package import NIOCore

/// What two programs that are strict about Matroska, mkvinfo and mkvmerge, find wrong with a file.
///
/// - Parameter path: The file; it is only read.
/// - Returns: Their warnings and errors, one to a line; empty when there are none.
/// - Throws: ``TestSupportError`` when one of them cannot be started.
package func matroskaComplaints(ofFile path: String) async throws -> String {
    let directory = try TemporaryDirectory()
    var complaints = ""
    // Not /dev/null, which mkvmerge itself warns of.
    for arguments in [["mkvinfo", "-v"], ["mkvmerge", "-o", directory.file("out.mkv")]] {
        let result = try await Program.run(arguments + [path])
        complaints += result.errors
        for line in result.text.split(separator: "\n") {
            let lower = line.lowercased()
            if ["warning", "error", "unknown element"].contains(where: lower.contains) {
                complaints += line + "\n"
            }
        }
        if result.status != 0 { complaints += "\(arguments[0]): status \(result.status)\n" }
    }
    return complaints
}

/// What mkvinfo and mkvmerge find wrong with the bytes of a file.
///
/// - Returns: As for ``matroskaComplaints(ofFile:)``.
/// - Throws: ``TestSupportError`` when one of them cannot be started.
package func matroskaComplaints(_ file: ByteBuffer) async throws -> String {
    let directory = try TemporaryDirectory()
    try write(file, toFile: directory.file("in.mkv"))
    return try await matroskaComplaints(ofFile: directory.file("in.mkv"))
}
