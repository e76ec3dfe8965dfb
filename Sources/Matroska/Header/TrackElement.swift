import MediaModel
import NIOCore

/// What is read of a TrackEntry (RFC 9559, 5.1.4.1).
struct TrackElement {
    /// The track; its time base and default duration are set by ``track(timeBase:timecodeScale:)``.
    private(set) var track: Track

    /// Nanoseconds per frame; `nil` when not stated.
    private(set) var defaultDuration: UInt64?

    /// Frames are compressed or encrypted, so that their bytes are not the codec's.
    private(set) var hasContentEncodings = false

    /// The entries of a Tracks element.
    static func tracks(
        of element: Element,
        _ limits: MatroskaLimits
    ) throws(MatroskaError) -> [TrackElement] {
        var tracks: [TrackElement] = []
        var children = element.children
        while let child = try children.next() {
            guard child.id == .trackEntry else { continue }
            guard tracks.count < limits.trackCount else {
                throw MatroskaError(
                    .tooManyTracks,
                    "Tracks declares more than \(limits.trackCount) tracks.",
                    at: child.offset
                )
            }
            let track = try TrackElement(child, limits)
            guard !tracks.contains(where: { $0.track.number == track.track.number }) else {
                throw invalid("Tracks declares number \(track.track.number) twice", child)
            }
            tracks.append(track)
        }
        if tracks.isEmpty { throw invalid("Tracks declares no track", element) }
        return tracks
    }

    private init(_ element: Element, _ limits: MatroskaLimits) throws(MatroskaError) {
        track = Track(number: 0, kind: .data, codecID: "", timeBase: .milliseconds)
        var type: UInt64 = 0
        var hasVideo = false
        var children = element.children
        while let child = try children.next() {
            switch child.id {
            case .trackNumber:
                let number = try child.unsigned()
                guard (1...127).contains(number) else {
                    throw Self.invalid("A track has the number \(number), not 1 to 127", child)
                }
                track.number = UInt8(number)
            case .trackType: type = try child.unsigned()
            case .codecID: track.codecID = child.text()
            case .codecPrivate:
                let data = child.payload
                guard data.readableBytes <= limits.codecPrivateBytes else {
                    throw MatroskaError(
                        .codecPrivateTooLarge,
                        "A CodecPrivate has \(data.readableBytes) bytes where \(limits.codecPrivateBytes) are allowed.",
                        at: child.offset
                    )
                }
                track.codecPrivate = Array(data.readableBytesView)
            case .defaultDuration:
                let duration = try child.unsigned()
                defaultDuration = duration == 0 ? nil : duration
            case .contentEncodings: hasContentEncodings = true
            case .video:
                hasVideo = true
                try readVideo(child)
            case .audio: try readAudio(child)
            default: break
            }
        }
        guard track.number != 0 else { throw Self.invalid("A track has no TrackNumber", element) }
        switch type {
        case 1: track.kind = .video
        case 2: track.kind = .audio
        // "Complex"; the producer SDK's "unknown" for a video track (KVS 2.3).
        case 3: track.kind = hasVideo ? .video : .data
        default: track.kind = .data
        }
    }

    private mutating func readVideo(_ element: Element) throws(MatroskaError) {
        var children = element.children
        while let child = try children.next() {
            switch child.id {
            case .pixelWidth: track.width = try Self.small(child)
            case .pixelHeight: track.height = try Self.small(child)
            default: break
            }
        }
    }

    private mutating func readAudio(_ element: Element) throws(MatroskaError) {
        // Their defaults (RFC 9559, 5.1.4.1.29).
        track.sampleRate = 8000
        track.channelCount = 1
        var children = element.children
        while let child = try children.next() {
            switch child.id {
            case .samplingFrequency:
                let rate = try child.float().rounded()
                guard rate >= 0, let exact = UInt32(exactly: rate) else {
                    throw Self.invalid("A track has a SamplingFrequency of \(rate)", child)
                }
                track.sampleRate = exact
            case .channels: track.channelCount = try Self.small(child)
            case .bitDepth: track.bitDepth = try Self.small(child)
            default: break
            }
        }
    }

    /// The track in the ticks of its document.
    func track(timeBase: TimeBase, timecodeScale: UInt64) -> Track {
        var track = self.track
        track.timeBase = timeBase
        if let defaultDuration, timecodeScale > 0 {
            let (quotient, remainder) = defaultDuration.quotientAndRemainder(
                dividingBy: timecodeScale
            )
            let rounded = quotient + (remainder >= timecodeScale - remainder ? 1 : 0)
            track.defaultDuration = UInt32(exactly: rounded) ?? 0
        }
        return track
    }

    private static func small(_ element: Element) throws(MatroskaError) -> UInt32 {
        let value = try element.unsigned()
        guard let small = UInt32(exactly: value) else {
            throw invalid("Element \(element.id) of a track states \(value)", element)
        }
        return small
    }

    private static func invalid(_ found: String, _ element: Element) -> MatroskaError {
        MatroskaError(.invalidData, "\(found); send valid Tracks.", at: element.offset)
    }
}
