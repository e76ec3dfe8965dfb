@testable import FragmentLog
import LogTestSupport
import MediaModel
import NIOCore
import TestSupport
import Testing

/// A byte that changes on the disk is found, and nothing is served that was not sent.
@Suite struct FlippedByteTests {
    /// What a log says: fragments with their bytes and headers, gaps, settings.
    private struct Content: Equatable {
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

    @Test func `a flipped byte at every 97th offset of every file is found and never served`()
        async throws
    {
        let place = try await VerifyTests.small()
        defer { place.keep() }
        var log = try await place.open()
        let good = try await read(log)
        #expect(good.isWhole)
        #expect(good.fragments.count == 10)
        await log.close()
        var flips = 0
        for name in try place.files() where name != "lock" && name != "boot" {
            let pristine = try place.bytes(name)
            // Pages of a database are mostly unused, and each flip costs a check of the whole.
            let step = name.hasSuffix(".sqlite") ? 97 * 11 : 97
            for offset in stride(from: 0, to: pristine.readableBytes, by: step) {
                flips += 1
                let copy = try place.copied()
                defer { copy.keep() }
                try copy.flip(name, at: offset)
                let report = try await copy.verify()
                // Pages of a database have unused bytes; those of all other files are all used.
                let isDatabase = name.hasSuffix(".sqlite")
                if report.isClean {
                    #expect(isDatabase, "byte \(offset) of \(name)")
                }
                do {
                    log = try await copy.open()
                } catch {
                    #expect(!report.isClean, "byte \(offset) of \(name): \(error)")
                    continue
                }
                let content = try await read(log)
                await log.close()
                for (number, bytes) in content.fragments {
                    #expect(
                        bytes == good.fragments[number],
                        "fragment \(number) after byte \(offset) of \(name)"
                    )
                    #expect(content.records[number] == good.records[number])
                }
                if report.isClean {
                    #expect(content == good, "byte \(offset) of \(name) was found by nobody")
                }
            }
        }
        #expect(flips > 200)
    }
}
