/// The index of the log, in `catalog.sqlite`: which log segments, sessions and gaps there are.
///
/// A cache of the files beside it, with what finding them by time needs; a repair builds it again
/// from them. All of SQL is behind the named operations of this type. Each is one transaction,
/// durable when it returns, and comes in two forms: async, which holds no thread while it waits, and
/// `…Blocking`, which holds the calling one and so belongs on a thread that may block. An operation
/// that has begun ends even when its task is cancelled.
///
/// Safe to use from any number of threads.
package final class Catalog: Sendable {
    let file: DatabaseFile

    private init(file: DatabaseFile) {
        self.file = file
    }

    /// Opens the catalog, checks it and brings its schema up to date.
    ///
    /// Blocks.
    ///
    /// - Parameters:
    ///   - path: The file, in a folder that exists.
    ///   - integrityCheck: Whether to read the whole file and check its structure first.
    ///   - ifMissing: Whether to make it when there is none.
    /// - Returns: The open catalog.
    /// - Throws: ``CatalogError/Code/damaged``, ``CatalogError/Code/newerVersion``,
    ///   ``CatalogError/Code/missing``, ``CatalogError/Code/cannotOpen``, and what a disk may do.
    package static func open(
        path: String,
        integrityCheck: Bool,
        ifMissing: MissingDatabase = .create
    ) throws(CatalogError) -> Catalog {
        Catalog(
            file: try DatabaseFile(
                path: path,
                kind: .catalog,
                ifMissing: ifMissing,
                integrityCheck: integrityCheck
            )
        )
    }

    /// Where the file lies.
    package var path: String { file.path }

    /// Whether opening made the file, so that it is empty whatever lies beside it.
    package var wasCreated: Bool { file.wasCreated }

    /// Waits for what is under way and closes the file.
    ///
    /// Blocks; later operations fail as ``CatalogError/Code/closed``.
    package func close() throws(CatalogError) {
        try file.close()
    }

    /// Writes a compact copy of the catalog as it is now, without holding up writes.
    ///
    /// The copy appears under `target` complete and durable, or not at all, in place of a file
    /// already there.
    package func vacuumCopy(to target: String) async throws(CatalogError) {
        try await file.vacuumCopy(to: target)
    }

    /// Checks every page, index and constraint.
    ///
    /// Finds damage that opening with `integrityCheck` does not look for, such as an index that
    /// disagrees with its table. What a row says can only be judged by the files.
    ///
    /// - Returns: What is wrong, a line each, at most 100; empty when nothing is.
    package func integrityFindings() async throws(CatalogError) -> [String] {
        try await file.readWithoutSnapshot("check it") { try DatabaseFile.integrityFindings($0) }
    }

    /// Moves a damaged database, this one or another, out of the way, with the files SQLite keeps beside it.
    ///
    /// Blocks.
    ///
    /// - Returns: The new name, `…damaged-N`; `nil` when there is no file at `path`.
    package static func moveAside(path: String) throws(CatalogError) -> String? {
        try DatabaseFile.moveAside(path)
    }
}
