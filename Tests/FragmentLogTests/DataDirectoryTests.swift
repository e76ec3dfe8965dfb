import FoundationEssentials
import FragmentLog
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport
import Testing

/// What a data directory must be before a log opens it.
@Suite struct DataDirectoryTests {
    private let start = Timestamp(milliseconds: 1_795_255_200_000)

    /// A log with one fragment, closed.
    private func used() async throws -> TemporaryLog {
        let place = try TemporaryLog(clock: SteppedClock(start))
        let log = try await place.open()
        let stream = try await log.createStream(StreamSettings(name: .test()))
        let session = try stream.openSession(.test)
        try await SyntheticProducer().send(session, producer: start)
        await session.end(.finished)
        await log.close()
        return place
    }

    private func remove(_ name: String, _ place: TemporaryLog) throws {
        try FileManager.default.removeItem(atPath: place.file(name))
    }

    private func openError(_ place: TemporaryLog) async throws -> LogError {
        do {
            let log = try await place.open()
            await log.close()
        } catch let error as LogError {
            return error
        }
        throw TestFailure("the log opened")
    }

    @Test(arguments: [
        ["boot", "format"],
        ["boot", "format", "consumers.sqlite"],
        ["boot", "format", "consumers.sqlite", "catalog.sqlite"],
        ["boot", "format", "consumers.sqlite", "catalog.sqlite", "streams/volume.json"],
        ["boot", "format", "consumers.sqlite", "catalog.sqlite", "streams", "copies"],
    ])
    func `making a directory that a crash broke off is done again`(missing: [String]) async throws {
        let place = try TemporaryLog()
        defer { place.keep() }
        try await place.open().close()
        for name in missing { try remove(name, place) }
        let log = try await place.open()
        _ = try await log.createStream(StreamSettings(name: .test()))
        await log.close()
        let again = try await place.open()
        #expect(again.stream(.test()) != nil)
        await again.close()
    }

    @Test func `a second server is refused and the first one goes on`() async throws {
        let place = try TemporaryLog()
        defer { place.keep() }
        let log = try await place.open()
        let error = try await openError(place)
        #expect(error.code == .locked)
        #expect(error.message.contains("used by another server"))
        _ = try await log.createStream(StreamSettings(name: .test()))
        await log.close()
        try await place.open().close()
    }

    @Test func `verify is refused while a server runs`() async throws {
        let place = try TemporaryLog()
        defer { place.keep() }
        let log = try await place.open()
        await #expect(throws: LogError.self) {
            try await FragmentLog.verify(directory: place.configuration.directory)
        }
        await log.close()
        let report = try await FragmentLog.verify(directory: place.configuration.directory)
        #expect(report.isClean)
    }

    @Test func `a directory that is none is not made by verify`() async throws {
        let place = try TemporaryLog()
        defer { place.keep() }
        do {
            _ = try await FragmentLog.verify(directory: place.configuration.directory)
            Issue.record("verified")
        } catch {
            #expect(error.code == .invalidArgument)
        }
        #expect(!FileManager.default.fileExists(atPath: place.configuration.directory))
    }

    @Test func `a missing volume is an error and never a fresh directory`() async throws {
        let place = try await used()
        defer { place.keep() }
        let streams = place.file("streams")
        try FileManager.default.moveItem(atPath: streams, toPath: place.file("aside"))
        try FileManager.default.createDirectory(
            atPath: streams,
            withIntermediateDirectories: false
        )
        let error = try await openError(place)
        #expect(error.code == .volumeMissing)
        #expect(error.message.contains("Mount it; nothing was changed."))
        #expect(try FileManager.default.contentsOfDirectory(atPath: streams).isEmpty)
        try remove("streams", place)
        try FileManager.default.moveItem(atPath: place.file("aside"), toPath: streams)
        try await place.open().close()
    }

    @Test func `a foreign volume is refused`() async throws {
        let place = try await used()
        defer { place.keep() }
        try write(
            ByteBuffer(string: "{\"volume\":\"abcd\"}\n"),
            toFile: place.file("streams/volume.json")
        )
        #expect(try await openError(place).code == .volumeMissing)
    }

    @Test func `a newer layout is refused`() async throws {
        let place = try await used()
        defer { place.keep() }
        let format = String(buffer: try contents(ofFile: place.file("format")))
        try write(
            ByteBuffer(string: format.replacing("layout 1", with: "layout 2")),
            toFile: place.file("format")
        )
        let error = try await openError(place)
        #expect(error.code == .newerVersion)
        #expect(error.message.contains("layout 2"))
    }

    @Test func `a directory in use without its format is refused`() async throws {
        let place = try await used()
        defer { place.keep() }
        try remove("format", place)
        let error = try await openError(place)
        #expect(error.code == .damaged)
        #expect(error.message.contains("kinelog verify --repair"))
    }

    @Test func `a catalog that knows streams is not taken for a new one`() async throws {
        let place = try await used()
        defer { place.keep() }
        try remove("format", place)
        try remove("streams", place)
        #expect(try await openError(place).code == .damaged)
    }

    @Test(arguments: ["catalog.sqlite", "consumers.sqlite"], [true, false])
    func `a lost or damaged database refuses and names the repair`(
        database: String,
        isMissing: Bool
    ) async throws {
        let place = try await used()
        defer { place.keep() }
        if isMissing {
            try remove(database, place)
        } else {
            try write(ByteBuffer(repeating: 7, count: 8192), toFile: place.file(database))
        }
        let error = try await openError(place)
        #expect(error.code == .damaged)
        #expect(error.message.contains("kinelog verify --repair"))
    }

    @Test func `a stream directory without a document is refused, the others open`() async throws {
        let place = try await used()
        defer { place.keep() }
        var log = try await place.open()
        let other = try await log.createStream(StreamSettings(name: .test("other")))
        let id = try #require(log.stream(.test())).id
        await log.close()
        try remove("streams/\(id)/stream.json", place)
        log = try await place.open()
        #expect(log.stream(.test()) == nil)
        #expect(log.stream(.test("other"))?.id == other.id)
        #expect(log.damagedStreams[id.description]?.message.contains("verify --repair") == true)
        await log.close()
    }
}
