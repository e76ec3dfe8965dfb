import FFmpegMedia
import MediaModel
import NIOCore
import TestSupport
import Testing

struct SampleNormalizerTests {
    private static let sps = "674d401fda014016ec0440000003004000000c83c60ca8"
    private static let otherSPS = "674d401feca07808bf70800000030080000019078c18cb"
    private static let pps = "68ef3c80"
    private static let record = "014d401fffe10017" + sps + "01000468ef3c80"
    private static let otherRecord = "014d401fffe10017" + otherSPS + "01000468ef3c80"

    private func bytes(_ hex: String) -> [UInt8] { [UInt8](hex: hex) }

    private func normalize(
        _ normalizer: Subject<SampleNormalizer>,
        _ hex: String,
        isSync: Bool = false
    ) -> SampleNormalizer.Output {
        let sample = bytes(hex)
        return normalizer.value.normalize(sample.span, isSync: isSync)
    }

    private func lengthPrefixed(_ units: String...) -> ByteBuffer {
        var buffer = ByteBuffer()
        for unit in units {
            buffer.writeInteger(UInt32(unit.count / 2))
            buffer.writeBytes(bytes(unit))
        }
        return buffer
    }

    @Test func `start codes become lengths, delimiters and filler go, sets and SEI stay`() {
        let normalizer = Subject(SampleNormalizer(codec: .h264, setUp: []))
        let output = normalize(
            normalizer,
            "00000001 09F0 00000001\(Self.sps) 00000001\(Self.pps) 000001 0605 00000001 6588 000001 0CFF80",
            isSync: true
        )
        #expect(output.payload == lengthPrefixed(Self.sps, Self.pps, "0605", "6588"))
        #expect(output.facts.isInstantRefresh)
        #expect(output.isCodecPrivateNew)
        #expect(!output.isDamaged)
        #expect(normalizer.codecPrivate == bytes(Self.record))
        #expect(normalizer.form == .startCodes(.h264))
    }

    @Test func `H.265 delimiters and filler go as well`() {
        let normalizer = Subject(SampleNormalizer(codec: .h265, setUp: []))
        let output = normalize(normalizer, "00000001 460150 000001 2601AF 00000001 4C01FF80")
        #expect(output.payload == lengthPrefixed("2601AF"))
    }

    @Test func `set-up behind start codes is known before the first sample`() {
        let setUp = bytes("00000001\(Self.sps) 00000001\(Self.pps)")
        let normalizer = Subject(SampleNormalizer(codec: .h264, setUp: setUp))
        #expect(normalizer.codecPrivate == bytes(Self.record))
        let output = normalize(
            normalizer,
            "00000001\(Self.sps) 00000001\(Self.pps) 00000001 6588",
            isSync: true
        )
        #expect(!output.isCodecPrivateNew)
    }

    @Test func `a sample with lengths of four bytes is not copied`() {
        let normalizer = Subject(SampleNormalizer(codec: .h264, setUp: bytes(Self.record)))
        #expect(normalizer.form == .lengths(.h264, lengthSize: 4))
        #expect(normalizer.codecPrivate == bytes(Self.record))
        let sample = lengthPrefixed("0605", "6588")
        let output = normalizer.normalize(sample, isSync: true)
        #expect(output.payload == sample)
        let isSameMemory = unsafe sample.withUnsafeReadableBytes { before in
            unsafe output.payload.withUnsafeReadableBytes {
                unsafe before.baseAddress == $0.baseAddress
            }
        }
        #expect(isSameMemory)
        #expect(output.facts.isInstantRefresh)
    }

    @Test func `delimiters go from samples with lengths too`() {
        let normalizer = Subject(SampleNormalizer(codec: .h264, setUp: bytes(Self.record)))
        let sample = lengthPrefixed("09F0", "6588", "0CFF80")
        #expect(normalizer.normalize(sample, isSync: true).payload == lengthPrefixed("6588"))
    }

    @Test(arguments: [(0xFC, "02 0605 02 6588"), (0xFD, "0002 0605 0002 6588")])
    func `shorter lengths become four bytes, in the set-up as well`(field: UInt8, sample: String) {
        var setUp = bytes(Self.record)
        setUp[4] = field
        let normalizer = Subject(SampleNormalizer(codec: .h264, setUp: setUp))
        #expect(normalizer.codecPrivate == bytes(Self.record))
        let output = normalize(normalizer, sample)
        #expect(output.payload == lengthPrefixed("0605", "6588"))
    }

    @Test func `without set-up the first sample tells the form`() {
        let normalizer = Subject(SampleNormalizer(codec: .h264, setUp: []))
        #expect(normalizer.form == .undecided(.h264))
        let sample = lengthPrefixed("6588")
        #expect(normalizer.normalize(sample, isSync: true).payload == sample)
        #expect(normalizer.form == .lengths(.h264, lengthSize: 4))
    }

    @Test func `new sets at a sync sample change the set-up, repeated ones do not`() {
        let normalizer = Subject(SampleNormalizer(codec: .h264, setUp: bytes(Self.record)))
        let same = lengthPrefixed(Self.sps, Self.pps, "6588")
        #expect(!normalizer.normalize(same, isSync: true).isCodecPrivateNew)
        let other = lengthPrefixed(Self.otherSPS, Self.pps, "6588")
        #expect(normalizer.normalize(other, isSync: true).isCodecPrivateNew)
        #expect(normalizer.codecPrivate == bytes(Self.otherRecord))
        #expect(normalizer.parameterSets?.pictureFacts?.width == 960)
        #expect(!normalizer.normalize(other, isSync: true).isCodecPrivateNew)
    }

    @Test func `sets sent ahead come into force at the next sync sample`() {
        let normalizer = Subject(SampleNormalizer(codec: .h264, setUp: bytes(Self.record)))
        let ahead = lengthPrefixed(Self.otherSPS, Self.pps)
        #expect(!normalizer.normalize(ahead, isSync: false).isCodecPrivateNew)
        #expect(!normalizer.normalize(lengthPrefixed("4188"), isSync: false).isCodecPrivateNew)
        #expect(normalizer.normalize(lengthPrefixed("6588"), isSync: true).isCodecPrivateNew)
        #expect(normalizer.codecPrivate == bytes(Self.otherRecord))
    }

    @Test func `a new record from the container changes the set-up`() {
        let normalizer = Subject(SampleNormalizer(codec: .h264, setUp: bytes(Self.record)))
        #expect(!normalizer.update(setUp: bytes(Self.record)))
        #expect(normalizer.update(setUp: bytes(Self.otherRecord)))
        #expect(normalizer.codecPrivate == bytes(Self.otherRecord))
        // What cannot be read changes nothing.
        #expect(!normalizer.update(setUp: [1, 2, 3]))
        #expect(normalizer.codecPrivate == bytes(Self.otherRecord))
    }

    @Test func `a sample cut inside a NAL unit keeps the whole ones and is damaged`() {
        let normalizer = Subject(SampleNormalizer(codec: .h264, setUp: bytes(Self.record)))
        let output = normalize(normalizer, "00000002 0605 00000009 6588")
        #expect(output.payload == lengthPrefixed("0605"))
        #expect(output.isDamaged)
    }

    @Test(arguments: ["FFFF", "00", "0000000000", "00000001", "00000109F0"])
    func `a sample without a NAL unit to store is empty and damaged`(hex: String) {
        let normalizer = Subject(
            SampleNormalizer(codec: .h264, setUp: bytes("00000001\(Self.sps)"))
        )
        let output = normalize(normalizer, hex)
        #expect(output.payload.readableBytes == 0)
        #expect(output.isDamaged)
    }

    @Test func `ADTS headers go and become the set-up`() {
        let normalizer = Subject(SampleNormalizer(codec: .aac, setUp: []))
        let first = normalize(normalizer, "FFF14C80013FFC 2110", isSync: true)
        #expect(first.payload == ByteBuffer(bytes: [0x21, 0x10]))
        #expect(first.isCodecPrivateNew)
        #expect(normalizer.codecPrivate == [0x11, 0x90])
        let buffer = ByteBuffer(bytes: bytes("FFF14C80013FFC 2110"))
        let second = normalizer.normalize(buffer, isSync: true)
        #expect(second.payload == first.payload)
        #expect(!second.isCodecPrivateNew)
        let mono = normalize(normalizer, "FFF14C40013FFC 2110", isSync: true)
        #expect(mono.isCodecPrivateNew)
        #expect(normalizer.codecPrivate == [0x11, 0x88])
    }

    @Test(arguments: [
        "", "FFF14C", "00000000000000000000", "FFF14C80FFFFFC2110", "FFF14C80013FFD2110",
    ])
    func `what is no single ADTS frame is damaged`(hex: String) {
        let normalizer = Subject(SampleNormalizer(codec: .aac, setUp: []))
        let output = normalize(normalizer, hex)
        #expect(output.payload.readableBytes == 0)
        #expect(output.isDamaged)
    }

    @Test(arguments: [Codec.aac, .opus, .vp9, .g711, .other])
    func `other codecs and raw AAC pass as they are`(codec: Codec) {
        let normalizer = Subject(SampleNormalizer(codec: codec, setUp: [0x11, 0x90]))
        let output = normalize(normalizer, "FFF1 00000001 09F0")
        #expect(output.payload == ByteBuffer(bytes: bytes("FFF1 00000001 09F0")))
        #expect(normalizer.codecPrivate == [0x11, 0x90])
    }

    @Test func `mutated samples never trap and never grow beyond their NAL units`() {
        var generator = SeededGenerator(seed: 5)
        let sample = bytes(
            "00000001 09F0 00000001\(Self.sps) 00000001\(Self.pps) 000001 0605 00000001 6588"
        )
        let prefixed = Array(buffer: lengthPrefixed("09F0", Self.sps, Self.pps, "0605", "6588"))
        for round in 0..<10_000 {
            let codec: Codec = round.isMultiple(of: 2) ? .h264 : .h265
            let one = Subject(SampleNormalizer(codec: codec, setUp: []))
            let first = sample.mutated(count: 1 + round % 6, using: &generator)
            let firstOutput = one.value.normalize(first.span, isSync: true)
            #expect(firstOutput.payload.readableBytes <= first.count * 2)
            let setUp = bytes(Self.record).mutated(count: round % 3, using: &generator)
            let two = Subject(SampleNormalizer(codec: codec, setUp: setUp))
            let second = prefixed.mutated(count: 1 + round % 6, using: &generator)
            let secondOutput = two.value.normalize(second.span, isSync: true)
            #expect(secondOutput.payload.readableBytes <= second.count * 3)
        }
    }
}

extension Subject<SampleNormalizer> {
    var form: SampleNormalizer.Form { value.form }
    var codecPrivate: [UInt8] { value.codecPrivate }
    var parameterSets: ParameterSets? { value.parameterSets }

    func normalize(_ payload: ByteBuffer, isSync: Bool) -> SampleNormalizer.Output {
        value.normalize(payload, isSync: isSync)
    }

    func update(setUp: [UInt8]) -> Bool { value.update(setUp: setUp) }
}
