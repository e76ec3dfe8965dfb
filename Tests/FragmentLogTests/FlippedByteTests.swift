@testable import FragmentLog
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport
import Testing

/// A byte that changes on the disk is found, and nothing is served that was not sent.
@Suite struct FlippedByteTests {
    /// What a log says: fragments with their bytes and headers, gaps, settings.
    private struct Content: Equatable, Sendable {
        var fragments: [FragmentNumber: ByteBuffer] = [:]
        var records: [FragmentNumber: FragmentRecord] = [:]
        var gaps: Set<String> = []
        var settings: [StreamInfo] = []
        var isWhole = true
    }

    /// Reads all of it, over errors.
    private func read(_ log: FragmentLog) async throws -> Content {
        var content = Content()
        let all = Timestamp(milliseconds: .min)..<Timestamp(milliseconds: .max)
        for stream in log.streams() {
            content.settings.append(stream.info)
            do {
                for record in try await stream.allFragments() {
                    do {
                        var bytes = try await stream.read(record, .stored)
                        bytes.writeImmutableBuffer(try await stream.header(of: record).bytes)
                        content.fragments[record.number] = bytes
                        content.records[record.number] = record
                    } catch {
                        content.isWhole = false
                    }
                }
                let page = try await stream.fragments(FragmentQuery(range: all, limit: 10_000))
                if page.fragments.isEmpty { content.isWhole = false }
                for clock in StreamClock.allCases {
                    for gap in try await stream.gaps(in: all, clock: clock, limit: 1000) {
                        content.gaps.insert("\(stream.name) \(gap)")
                    }
                }
            } catch {
                content.isWhole = false
            }
        }
        return content
    }

    // MARK: Damage

    /// One file of each kind with every `step`-th of its offsets: what another stream has or another
    /// log segment is of the same form.
    private func offsets(of place: TemporaryLog, step: Int) throws -> [(String, Int)] {
        var kinds: Set<Substring> = []
        var found: [(String, Int)] = []
        for name in try place.files() where !Self.isDatabase(name) && !Self.isWithoutMeaning(name) {
            // Those of a log segment have its number for a name.
            let file = name.split(separator: "/").last ?? ""
            let kind = file.drop { $0.isNumber }
            guard kinds.insert(kind).inserted else { continue }
            let length = try place.bytes(name).readableBytes
            found += stride(from: 0, to: length, by: step).map { (name, $0) }
        }
        return found
    }

    private static func isDatabase(_ name: String) -> Bool { name.hasSuffix(".sqlite") }

    /// The lock is empty, and another boot id is what every boot brings.
    private static func isWithoutMeaning(_ name: String) -> Bool {
        name == "lock" || name == "boot"
    }

    /// Every bit has its turn.
    private static func bit(_ offset: Int) -> UInt8 { 1 << UInt8(offset % 8) }

    /// Splits work over two tasks.
    private func halves<Element: Sendable>(
        _ all: [Element],
        _ body: @escaping @Sendable (ArraySlice<Element>) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let middle = all.count / 2
            group.addTask { try await body(all[..<middle]) }
            group.addTask { try await body(all[middle...]) }
            try await group.waitForAll()
        }
    }

    @Test func `a flipped bit in any byte of a file is found`() async throws {
        // The fewer fragments, the shorter each of the thousands of checks.
        let place = try await VerifyTests.small(streams: ["a"], fragments: 2)
        defer { place.keep() }
        #expect(try await place.verify().isClean)
        let step = Effort.count(1, underThreadSanitizer: 211)
        let all = try offsets(of: place, step: step)
        #expect(Set(all.map(\.0)).count == 6, "format, volume, stream, events, index and media")
        #expect(all.count > 2500 / step)
        try await halves(all) { half in
            let copy = try place.copied()
            defer { copy.keep() }
            for (name, offset) in half {
                try copy.flip(name, at: offset, bits: Self.bit(offset))
                #expect(try await !copy.verify().isClean, "byte \(offset) of \(name)")
                // It only reads, so the same copy serves again.
                try copy.flip(name, at: offset, bits: Self.bit(offset))
            }
            #expect(try await copy.verify().isClean)
        }
    }

    @Test func `a flipped bit is never served as good, in files and databases`() async throws {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        let log = try await place.open()
        let good = try await read(log)
        #expect(good.isWhole)
        #expect(good.fragments.count == 10)
        await log.close()
        var all = try offsets(of: place, step: Effort.count(11, underThreadSanitizer: 409))
        // Pages of a database are mostly unused, and each flip costs a check of the whole.
        let step = Effort.count(509, underThreadSanitizer: 9001)
        for name in try place.files() where Self.isDatabase(name) {
            let length = try place.bytes(name).readableBytes
            all += stride(from: 0, to: length, by: step).map { (name, $0) }
        }
        try await halves(all) { half in
            for (name, offset) in half {
                let copy = try place.copied()
                defer { copy.keep() }
                try copy.flip(name, at: offset, bits: Self.bit(offset))
                try await check(copy, good, "byte \(offset) of \(name)", Self.isDatabase(name))
            }
        }
    }

    /// What a damaged directory serves is what was sent.
    private func check(
        _ place: TemporaryLog,
        _ good: Content,
        _ damage: String,
        _ isDatabase: Bool
    ) async throws {
        let report = try await place.verify()
        // Pages of a database have unused bytes; those of all other files are all used.
        #expect(!report.isClean || isDatabase, "\(damage)")
        let log: FragmentLog
        do {
            log = try await place.open()
        } catch {
            #expect(!report.isClean, "\(damage): \(error)")
            return
        }
        let content = try await read(log)
        await log.close()
        for (number, bytes) in content.fragments {
            #expect(bytes == good.fragments[number], "fragment \(number) after \(damage)")
            #expect(content.records[number] == good.records[number])
        }
        if report.isClean { #expect(content == good, "\(damage) was found by nobody") }
    }
}
