import Catalog
import MediaModel
import NIOCore
import Synchronization

extension FragmentLog {
    /// Checks a data directory that no server uses: every file and row of it against each other.
    ///
    /// Reads every stored byte once, one fragment at a time, and changes nothing.
    ///
    /// - Parameters:
    ///   - directory: The data directory.
    ///   - clock: Tells what retention may have removed.
    ///   - progress: Told after every log segment.
    /// - Returns: What was covered and found; damage is a finding, not an error.
    /// - Throws: `.locked` when a server runs on it, `.invalidArgument` when it is no data
    ///   directory, `.ioError`.
    package static func verify(
        directory: String,
        clock: any WallClock = SystemClock(),
        progress: VerifyProgressHandler? = nil
    ) async throws(LogError) -> VerifyReport {
        let verifier = DirectoryVerifier(path: directory, now: clock.now(), progress: progress)
        return try await blocking { () throws(LogError) in try verifier.verify() }
    }

    /// Runs work on a thread of its own for as long as it takes.
    static func blocking<Success: Sendable>(
        _ work: @escaping @Sendable () throws(LogError) -> Success
    ) async throws(LogError) -> Success {
        let pool = BlockingPool(threads: 1)
        let result: Result<Success, LogError>
        do throws(LogError) {
            result = .success(try await pool.run(work))
        } catch {
            result = .failure(error)
        }
        await pool.shutDown()
        return try result.get()
    }

    /// Checks this log while it is in use: what is published, segment by segment.
    ///
    /// Fragments that arrive meanwhile are left to the next check, and segments that retention
    /// takes meanwhile are passed over. Producers and readers go on; a check reads on one of the
    /// threads that serve archived media.
    ///
    /// - Parameter progress: Told after every log segment.
    /// - Returns: What was covered and found.
    /// - Throws: `.shuttingDown` when the task was cancelled or the log closed, `.ioError`.
    package func verify(
        progress: VerifyProgressHandler? = nil
    ) async throws(LogError)
        -> VerifyReport
    {
        var report = VerifyReport()
        do {
            for finding in try await rows.integrityFindings() {
                report.add(
                    VerifyFinding(
                        .damage,
                        .catalog,
                        file: "catalog.sqlite",
                        remedy: .repair,
                        finding
                    )
                )
            }
        } catch {
            throw LogError(.ioError, "The catalog could not be checked.", cause: error)
        }
        for (id, error) in damagedStreams.sorted(by: { $0.key < $1.key }) {
            report.add(
                VerifyFinding(
                    .damage,
                    .stream,
                    stream: StreamID(id),
                    file: "streams/\(id)",
                    remedy: .repair,
                    "It could not be opened at the start: \(error.message)"
                )
            )
        }
        for (place, error) in damagedSegments.sorted(by: { $0.key < $1.key }) {
            report.add(
                VerifyFinding(
                    .damage,
                    .segment,
                    file: place,
                    remedy: .repair,
                    "It could not be brought into order at the start: \(error.message)"
                )
            )
        }
        let streams = streams()
        for (done, stream) in streams.enumerated() {
            let read = report.byteCount
            func isDeleted() -> Bool { stream.state.withLock { $0.closed?.code == .streamDeleted } }
            do throws(LogError) {
                let found = try await LiveVerifier(stream: stream).verify {
                    segments,
                    count,
                    bytes in
                    progress?(
                        VerifyProgress(
                            streamsDone: done,
                            streamCount: streams.count,
                            stream: stream.name.text,
                            segmentsDone: segments,
                            segmentCount: count,
                            byteCount: read + bytes
                        )
                    )
                }
                if !isDeleted() { report.add(found) }
            } catch {
                // Files and rows of a stream that is deleted meanwhile go in any order.
                guard isDeleted(), !Task.isCancelled else { throw error }
            }
        }
        return report
    }
}
