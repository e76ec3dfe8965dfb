import FFmpegMedia
import FragmentLog
import Ingest
import Matroska
import Testing

/// The limits that are promised, as they are when nobody says otherwise.
struct LimitDefaultsTests {
    @Test func `a fragment has at most 50 MB and 20 s`() {
        #expect(PushLimits().cutter.maximumBytes == 50_000_000)
        #expect(PushLimits().cutter.maximumMs == 20_000)
        #expect(PutMediaLimits().fragmentBytesMax == 50_000_000)
        #expect(PutMediaLimits().fragmentMsMax == 20_000)
        #expect(MatroskaLimits().blockBytes == 50_000_000)
    }

    @Test func `no setting makes a fragment longer than 32 s`() {
        var limits = CutterLimits()
        limits.maximumMs = 40_000
        #expect(limits.maximumMs == 32_000)
    }

    @Test func `a producer has at most 8 tracks`() {
        #expect(PushLimits().trackCountMax == 8)
        #expect(PutMediaLimits().trackCountMax == 8)
        #expect(MatroskaLimits().trackCount == 8)
        #expect(DemuxerLimits().trackCountMax == 8)
    }

    @Test func `a header has at most 4 MiB`() {
        #expect(PutMediaLimits().headerBytesMax == 4_194_304)
        #expect(MatroskaLimits().headerBytes == 4_194_304)
    }

    @Test func `open fragments share 2 GiB, and 4096 sessions may send`() {
        let configuration = LogConfiguration(directory: "data")
        #expect(configuration.openFragmentBytesMax == 2_147_483_648)
        #expect(configuration.sessionsMax == 4096)
    }

    @Test func `a producer may be silent for 30 s`() {
        #expect(PushLimits().idleMs == 30_000)
        #expect(PutMediaLimits().idleMs == 30_000)
    }
}
