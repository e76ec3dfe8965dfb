import NIOCore

/// Writes Matroska documents that come one after another into files of their own.
struct DocumentWriter {
    private let path: String
    private let replaces: Bool
    private var file: OutputFile?
    private var number = 0

    /// What has been finished: path and bytes.
    private(set) var written: [(path: String, byteCount: Int64)] = []

    /// Bytes written so far, to all files.
    private(set) var byteCount: Int64 = 0

    /// A writer before the first byte; no file is made yet.
    ///
    /// - Parameters:
    ///   - path: The first document's file; later ones get a number. `-` takes all of them.
    ///   - replaces: Whether files of those names may be replaced.
    init(path: String, replaces: Bool) {
        self.path = path
        self.replaces = replaces
    }

    /// Where the document at hand is written, if one is.
    var place: String? { file?.place }

    /// Where the document at hand is in the end, if there is one.
    var finalPlace: String? { file?.finalPlace }

    /// Writes a piece; one that starts a document goes to the next file.
    ///
    /// - Throws: ``CommandError`` when it cannot be written.
    mutating func write(_ piece: TimedPiece) async throws {
        if piece.startsDocument {
            number += 1
            if path != "-" {
                try finish()
                file = try OutputFile(
                    OutputFile.name(path, document: number),
                    replaces: replaces
                )
            }
        }
        if file == nil { file = try OutputFile(path, replaces: replaces) }
        try await file?.write(piece.bytes)
        byteCount += Int64(piece.bytes.readableBytes)
    }

    /// How many documents there have been.
    var documentCount: Int { number }

    /// Gives the last file its name.
    ///
    /// - Throws: ``CommandError`` when that is not possible.
    mutating func finish() throws(CommandError) {
        guard let file else { return }
        self.file = nil
        let count = file.byteCount
        try file.finish()
        written.append((OutputFile.name(path, document: max(1, written.count + 1)), count))
    }
}
