import NIOCore
import Playback

extension Answer {
    /// Footage that is read and sent piece by piece.
    ///
    /// What is wrong with the beginning of a stretch is told with a status: its first piece is read
    /// before the head is sent.
    ///
    /// - Parameters:
    ///   - footage: What is sent.
    ///   - contentType: What it is.
    ///   - isEndless: Whether it waits for what is still to come.
    /// - Returns: The answer.
    /// - Throws: What reading the first piece throws.
    static func footage(
        _ footage: some Footage,
        contentType: String = "video/x-matroska",
        isEndless: Bool = false
    ) async throws -> Answer {
        var footage = footage
        let first = isEndless ? nil : try await footage.next()
        let rest = footage
        return Answer(
            contentType: contentType,
            stream: Stream(isEndless: isEndless) { writer in
                if let first { try await writer.write(first) }
                var rest = rest
                while let piece = try await rest.next() { try await writer.write(piece) }
            }
        )
    }
}
