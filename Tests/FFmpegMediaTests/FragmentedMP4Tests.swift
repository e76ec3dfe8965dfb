@testable import FFmpegMedia
import NIOCore
import TestSupport
import Testing

struct FragmentedMP4Tests {
    private static let init1 = box("ftyp", 8) + box("moov", 100)

    private static func box(_ type: String, _ bodyByteCount: Int) -> [UInt8] {
        let size = UInt32(8 + bodyByteCount)
        return (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * UInt32($0))) }
            + Array(type.utf8) + [UInt8](repeating: 0xAB, count: bodyByteCount)
    }

    @Test func `the cut lies before what belongs to the next fragment`() {
        for lead in [[], Self.box("styp", 8), Self.box("sidx", 20), Self.box("emsg", 3)] {
            let first = Self.init1 + lead + Self.box("moof", 50) + Self.box("mdat", 500)
            let all = first + lead + Self.box("moof", 50) + Self.box("mdat", 500)
            var tracker = FragmentedMP4Tracker()
            let taken = tracker.consume(all.span, isCutWanted: true)
            #expect(taken == first.count)
            #expect(tracker.initSegment == ByteBuffer(bytes: Self.init1))
        }
    }

    @Test func `a fragment with two media boxes is not cut in two`() {
        let first =
            Self.init1 + Self.box("moof", 50) + Self.box("mdat", 500) + Self.box("mdat", 9)
            + Self.box("free", 1)
        let all = first + Self.box("moof", 50) + Self.box("mdat", 10)
        let more = all + Self.box("moof", 50)
        var tracker = FragmentedMP4Tracker()
        let taken = tracker.consume(more.span, isCutWanted: true)
        #expect(taken == all.count)
    }

    @Test func `bytes in any pieces are followed alike`() {
        let fragment = Self.box("moof", 50) + Self.box("mdat", 500)
        let all = Self.init1 + fragment + fragment + fragment
        for size in 1...70 {
            var tracker = FragmentedMP4Tracker()
            var rest = all[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(size))
                let taken = tracker.consume(piece.span, isCutWanted: false)
                #expect(taken == piece.count)
                rest = rest.dropFirst(size)
            }
            #expect(tracker.canCut)
            #expect(tracker.initSegment == ByteBuffer(bytes: Self.init1))
            let next = Self.box("moof", 4)
            let taken = tracker.consume(next.span, isCutWanted: true)
            #expect(taken == 0)
        }
    }

    @Test(
        arguments: [
            // Media that belongs to no fragment.
            init1 + box("mdat", 5) + box("moof", 5),
            // A box to the end of the file, and one smaller than its header.
            init1 + box("moof", 5) + [0, 0, 0, 0] + Array("mdat".utf8),
            init1 + box("moof", 5) + [0, 0, 0, 7] + Array("mdat".utf8),
            // An initialisation segment that is too large to keep.
            box("ftyp", 8) + box("moov", 5 << 20),
        ]
    )
    func `what cannot be left behind is never cut`(bytes: [UInt8]) {
        var tracker = FragmentedMP4Tracker()
        let all = bytes + Self.box("mdat", 5) + Self.box("moof", 5)
        let taken = tracker.consume(all.span, isCutWanted: true)
        #expect(taken == all.count)
        #expect(!tracker.canCut)
    }

    @Test func `sizes of 64 bits are followed`() {
        let large = [0, 0, 0, 1] + Array("mdat".utf8) + [0, 0, 0, 0, 0, 0, 0, 20] + [1, 2, 3, 4]
        let first = Self.init1 + Self.box("moof", 50) + large
        let all = first + Self.box("moof", 50)
        var tracker = FragmentedMP4Tracker()
        let taken = tracker.consume(all.span, isCutWanted: true)
        #expect(taken == first.count)
    }

    @Test(
        arguments: [
            "+frag_keyframe+empty_moov+default_base_moof",
            // Media positions counted from the beginning of the file.
            "+frag_keyframe+empty_moov",
            "+frag_every_frame+empty_moov+default_base_moof",
            "+frag_keyframe+empty_moov+default_base_moof+delay_moov",
            "+cmaf+frag_keyframe+empty_moov",
            // The first samples lie in no fragment: never opened anew.
            "+frag_keyframe",
        ],
        [1, 100, 10_000]
    )
    func `the same samples come out however often the index is forgotten`(
        flags: String,
        indexedSampleCountMax: Int
    ) async throws {
        let bytes = try await Fixtures.shared.make(
            ["-i", SampleMedia.bunny2sGOP.path],
            ["-c", "copy", "-movflags", flags, "-f", "mp4"]
        ).bytes
        var limits = DemuxerLimits()
        limits.indexedSampleCountMax = indexedSampleCountMax
        let (whole, parts) = try await OwnThread.run { [limits] in
            (Demuxed.read(bytes, .mp4), Demuxed.read(bytes, .mp4, limits))
        }
        #expect(whole.error == nil)
        #expect(whole.samples.count == 720)
        #expect(parts.error == nil)
        #expect(parts.tracks == whole.tracks)
        for track in 0..<2 {
            let found = parts.samples(of: track)
            let expected = whole.samples(of: track)
            #expect(found.map { ProbedPacket($0) } == expected.map { ProbedPacket($0) })
            #expect(found.map(\.payload) == expected.map(\.payload))
            #expect(found.allSatisfy { $0.newCodecPrivate == nil })
        }
    }
}
