import Ingest
import MediaModel
import Testing

@Suite struct AudioGridTests {
    private static func aac(_ config: [UInt8], _ timeBase: TimeBase = .milliseconds) -> Track {
        Track(number: 2, kind: .audio, codecID: "A_AAC", codecPrivate: config, timeBase: timeBase)
    }

    /// AAC-LC at 48 and 44.1 kHz; with explicit SBR over a core of 24 kHz; 960 samples at 48 kHz.
    private static let configs: [(config: [UInt8], rate: Int64, length: Int64)] = [
        ([0x11, 0x90], 48_000, 1024), ([0x12, 0x10], 44_100, 1024),
        ([0x2B, 0x11, 0x88, 0x00], 24_000, 1024), ([0x11, 0x94], 48_000, 960),
    ]

    @Test(arguments: 0..<4, [false, true])
    func `frames rounded to milliseconds come back evenly spaced and lose nothing`(
        config: Int,
        truncates: Bool
    ) throws {
        let (bytes, rate, length) = Self.configs[config]
        var grid = try #require(AudioGrid(Self.aac(bytes)))
        #expect(grid.timeBase == TimeBase.audio(sampleRate: UInt32(rate)))
        var random = SplitMix(seed: UInt64(config))
        for start in [Int64(0), 1_795_255_200_000, Int64.random(in: 0...1_000_000, using: &random)]
        {
            var last: Int64?
            var uneven = 0
            for frame in Int64(0)..<20_000 {
                let samples = start * rate / 1000 + frame * length
                let ms = truncates ? samples * 1000 / rate : (samples * 2000 / rate + 1) / 2
                let stored = grid.place(ms, payload: [])
                let placed = try #require(stored)
                #expect(grid.timeBase.milliseconds(placed) == ms)
                if let last, frame > 0, placed - last != length { uneven += 1 }
                if let last, frame > 0 { #expect(placed > last) }
                last = placed
            }
            // Until the phase within the first milliseconds is found.
            #expect(uneven <= 50)
        }
    }

    @Test func `a frame that is missing starts the grid anew`() throws {
        var grid = try #require(AudioGrid(Self.aac([0x11, 0x90])))
        #expect(grid.place(0, payload: []) == 0)
        #expect(grid.place(21, payload: []) == 1024)
        #expect(grid.place(64, payload: []) == 3072)
        #expect(grid.place(nil, payload: []) == 4096)
    }

    @Test func `ticks finer than samples are kept`() {
        #expect(AudioGrid(Self.aac([0x11, 0x90], .mpegTS)) == nil)
        #expect(AudioGrid(Self.aac([])) == nil)
        #expect(AudioGrid(CutRun.video) == nil)
    }

    @Test func `wild times never trap`() throws {
        var grid = try #require(AudioGrid(Self.aac([0x11, 0x90])))
        for ticks in [Int64.min, .max, .max / 4, -1, 1 << 57, 0] {
            _ = grid.place(ticks, payload: [])
        }
        #expect(grid.place(.max, payload: []) == nil)
    }

    @Test(
        arguments: [
            ([0xFC], 960),  // CELT of 20 ms, one frame
            ([0xFD], 1920), ([0xFB, 0x03], 2880), ([0xFB, 0x00], 0), ([0xFB], 0), ([], 0),
            ([0x18], 2880), ([0x1B, 0x3F], 0),
        ] as [([UInt8], Int64)]
    )
    func `an Opus packet says how long it is`(packet: [UInt8], length: Int64) throws {
        var grid = try #require(
            AudioGrid(Track(number: 1, kind: .audio, codecID: "A_OPUS", timeBase: .milliseconds))
        )
        #expect(grid.place(0, payload: packet) == 0)
        #expect(grid.frameLength == length)
        #expect(grid.place(nil, payload: packet) == (length == 0 ? nil : length))
    }
}
