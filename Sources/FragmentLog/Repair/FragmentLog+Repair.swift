import MediaModel

extension FragmentLog {
    /// Brings a data directory that no server uses into order, from its files.
    ///
    /// Lost and damaged databases are moved aside and built again; what only they knew comes from
    /// their newest daily copy. Indexes are written anew from the log segments, streams without a
    /// document get one. No fragment is ever removed: one whose bytes are damaged stays where it is,
    /// is reported, and is not served. Every stream that was touched goes on with fragment numbers a
    /// million above the greatest one seen, and its expiry is paused until an operator resumes it.
    ///
    /// May be broken off at any point and run again; where nothing is wrong it does nothing.
    ///
    /// - Parameters:
    ///   - directory: The data directory.
    ///   - clock: Dates what is made anew.
    ///   - progress: Told after every log segment that is checked.
    /// - Returns: What was found, done, and not restored.
    /// - Throws: `.locked` when a server runs on it, `.newerVersion`, `.volumeMissing` for another
    ///   directory's volume or none, `.diskFull`, `.ioError`.
    package static func repair(
        directory: String,
        clock: any WallClock = SystemClock(),
        progress: VerifyProgressHandler? = nil
    ) async throws(LogError) -> RepairReport {
        let repair = DirectoryRepair(path: directory, clock: clock, progress: progress)
        return try await blocking { () throws(LogError) in try repair.run() }
    }
}
