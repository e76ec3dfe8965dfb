import FragmentLog
import Logging
import MediaModel
import NIOCore
import Playback

extension KVSRoutes {
    struct GetMediaInput: Decodable, Sendable {
        struct Selector: Decodable, Sendable {
            var StartSelectorType: String?
            var AfterFragmentNumber: String?
            var StartTimestamp: KVSTimestamp?
            var ContinuationToken: String?
        }

        var StreamName: String?
        var StreamARN: String?
        var StartSelector: Selector?
    }

    /// GetMedia: the head at once, then a document per fragment for as long as they come (KVS 3).
    @Sendable func getMedia(_ input: GetMediaInput) async throws -> Answer {
        let stream = try stream(name: input.StreamName, arn: input.StreamARN)
        guard let selector = input.StartSelector else {
            throw APIError(.invalidArgument, "StartSelector is missing.")
        }
        let start = try Self.start(selector)
        let silence = server.configuration.getMediaSilence.nanoseconds / 1_000_000
        let media = try await KVSMedia(
            stream: stream,
            start: start,
            silenceMilliseconds: silence
        )
        let logger = exchange.logger
        return Answer(
            contentType: "video/webm",
            stream: Answer.Stream(isEndless: true) { writer in
                var media = media
                while let piece = try await media.next() { try await writer.write(piece) }
                guard let failure = media.failure.map({ APIError($0) }) else { return }
                logger.log(
                    level: failure.code.lossLevel ?? .info,
                    "GetMedia ended with an error",
                    metadata: ["stream.name": "\(stream.name)", "error": "\(failure)"]
                )
            }
        )
    }

    private static func start(_ selector: GetMediaInput.Selector) throws(APIError) -> CursorStart {
        switch selector.StartSelectorType {
        case "NOW": return .newest
        case "EARLIEST": return .earliest
        case "FRAGMENT_NUMBER":
            return .after(try number(selector.AfterFragmentNumber, "AfterFragmentNumber"))
        case "CONTINUATION_TOKEN":
            return .after(try number(selector.ContinuationToken, "ContinuationToken"))
        case "SERVER_TIMESTAMP": return .time(try time(selector), .server)
        case "PRODUCER_TIMESTAMP": return .time(try time(selector), .producer)
        default:
            throw APIError(
                .invalidArgument,
                "StartSelectorType must be NOW, EARLIEST, FRAGMENT_NUMBER, SERVER_TIMESTAMP, PRODUCER_TIMESTAMP or CONTINUATION_TOKEN."
            )
        }
    }

    private static func number(_ text: String?, _ name: String) throws(APIError) -> FragmentNumber {
        guard let text else { throw APIError(.invalidArgument, "\(name) is missing.") }
        if let number = FragmentNumber(text) { return number }
        throw APIError(
            .invalidArgument,
            "\(name) '\(text.prefix(128))' is no fragment number of \(FragmentNumber.digitCount) digits."
        )
    }

    private static func time(_ selector: GetMediaInput.Selector) throws(APIError) -> Timestamp {
        if let time = selector.StartTimestamp { return time.timestamp }
        throw APIError(.invalidArgument, "StartTimestamp is missing.")
    }
}
