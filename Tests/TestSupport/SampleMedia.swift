import NIOCore

/// A file of the `SampleMedia` folder and what is known about it.
package struct SampleMedia: Sendable, CustomStringConvertible {
    /// File name inside the folder.
    package let name: String

    /// Picture size in pixels.
    package let width: UInt32
    package let height: UInt32

    /// Number of video samples; 25 a second, in ticks of 1/12800 s.
    package let videoSampleCount: Int

    /// Number of AAC access units of 1024 samples at 48 kHz.
    package let audioSampleCount: Int

    /// Audio channels.
    package let channelCount: UInt32

    /// Which video samples are sync samples, counted from zero in decode order.
    package let syncSamples: [Int]

    /// How many pictures may be reordered; zero without B-frames.
    package let videoDelay: Int

    /// Ten seconds, five groups of pictures of two seconds, B-frames, sound.
    package static let bunny2sGOP = SampleMedia(
        name: "bunny-2s-gop.mp4",
        width: 1280,
        height: 720,
        videoSampleCount: 250,
        audioSampleCount: 470,
        channelCount: 6,
        syncSamples: [0, 50, 100, 150, 200],
        videoDelay: 2
    )

    /// Five seconds in a single group of pictures without B-frames, sound in six channels.
    package static let bunny = SampleMedia(
        name: "bunny.mp4",
        width: 1280,
        height: 720,
        videoSampleCount: 132,
        audioSampleCount: 249,
        channelCount: 6,
        syncSamples: [0],
        videoDelay: 0
    )

    /// Sixteen seconds, eight groups of pictures of two seconds, B-frames, sound, burnt-in time.
    package static let visitor = SampleMedia(
        name: "visitor.mp4",
        width: 960,
        height: 540,
        videoSampleCount: 400,
        audioSampleCount: 751,
        channelCount: 1,
        syncSamples: Array(stride(from: 0, to: 400, by: 50)),
        videoDelay: 2
    )

    /// All files of the folder.
    package static let all = [bunny2sGOP, bunny, visitor]

    /// Absolute path of the package's folder.
    package static let packagePath: String = {
        // This file is Tests/TestSupport/SampleMedia.swift.
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// Absolute path of the file.
    package var path: String { "\(Self.packagePath)/SampleMedia/\(name)" }

    /// The file name.
    package var description: String { name }
}
