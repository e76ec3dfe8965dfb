import FoundationEssentials
import FragmentLog
import HTTPTypes
import MediaModel

/// The stream operations of KVS 1.5.
extension KVSRoutes {
    struct CreateStreamInput: Decodable, Sendable {
        var StreamName: String?
        var DeviceName: String?
        var MediaType: String?
        var KmsKeyId: String?
        var DataRetentionInHours: Int?
        var Tags: [String: String]?
    }

    struct StreamInput: Decodable, Sendable {
        var StreamName: String?
        var StreamARN: String?
    }

    /// Tags of a stream (KVS 1.5).
    private static let tagsMax = 50

    /// CreateStream: usable when this returns.
    @Sendable func createStream(_ input: CreateStreamInput) async throws -> Answer {
        guard let text = input.StreamName else {
            throw APIError(.invalidArgument, "StreamName is missing.")
        }
        var settings = StreamSettings(
            name: try Self.name(text),
            retentionHours: input.DataRetentionInHours ?? 0
        )
        settings.deviceName = try Self.text(input.DeviceName, "DeviceName", 128)
        settings.mediaType = try Self.text(input.MediaType, "MediaType", 128)
        settings.kmsKeyID = try Self.text(input.KmsKeyId, "KmsKeyId", 2048)
        settings.tags = input.Tags ?? [:]
        guard settings.tags.count <= Self.tagsMax else {
            throw APIError(
                .tooManyTags,
                "The request has \(settings.tags.count) tags; a stream may have \(Self.tagsMax)."
            )
        }
        let stream = try await server.log.createStream(settings)
        return Answer(json: .object(["StreamARN": .string(StreamARN(stream.info).text)]))
    }

    /// DescribeStream.
    @Sendable func describeStream(_ input: StreamInput) async throws -> Answer {
        let stream = try stream(name: input.StreamName, arn: input.StreamARN)
        return Answer(json: .object(["StreamInfo": Self.info(stream.info)]))
    }

    struct ListStreamsInput: Decodable, Sendable {
        struct Condition: Decodable, Sendable {
            var ComparisonOperator: String?
            var ComparisonValue: String?
        }

        var MaxResults: Int?
        var NextToken: String?
        var StreamNameCondition: Condition?
    }

    /// ListStreams, by name; the token is base64 of the last name given.
    @Sendable func listStreams(_ input: ListStreamsInput) async throws -> Answer {
        let limit = input.MaxResults ?? 10_000
        guard (1...10_000).contains(limit) else {
            throw APIError(.invalidArgument, "MaxResults is \(limit); 1 to 10000 are allowed.")
        }
        var prefix = ""
        if let condition = input.StreamNameCondition {
            guard condition.ComparisonOperator ?? "BEGINS_WITH" == "BEGINS_WITH" else {
                throw APIError(.invalidArgument, "ComparisonOperator can only be BEGINS_WITH.")
            }
            prefix = condition.ComparisonValue ?? ""
        }
        let after = try Self.decodeToken(input.NextToken)
        let all = server.log.streams().filter { stream in
            let name = stream.name.text
            return name.hasPrefix(prefix) && (after.map { name > $0 } ?? true)
        }
        let shown = all.prefix(limit)
        let token =
            shown.count < all.count
            ? shown.last.map { Data($0.name.text.utf8).base64EncodedString() } : nil
        return Answer(
            json: .object([
                "StreamInfoList": .array(shown.map { Self.info($0.info) }),
                "NextToken": token.map { .string($0) },
            ])
        )
    }

    struct DeleteStreamInput: Decodable, Sendable {
        var StreamARN: String?
        var CurrentVersion: String?
    }

    /// DeleteStream, by ARN only.
    @Sendable func deleteStream(_ input: DeleteStreamInput) async throws -> Answer {
        guard let arn = input.StreamARN else {
            throw APIError(.invalidArgument, "StreamARN is missing.")
        }
        let stream = try stream(name: nil, arn: arn)
        if let version = input.CurrentVersion, version != stream.info.version {
            throw APIError(
                .versionMismatch,
                "CurrentVersion '\(version.prefix(100))' is not the stream's; describe the stream and try again."
            )
        }
        try await server.log.deleteStream(stream.name)
        return Answer(json: .object([]))
    }

    struct DataEndpointInput: Decodable, Sendable {
        var StreamName: String?
        var StreamARN: String?
        var APIName: String?
    }

    private static let apiNames: Set<String> = [
        "PUT_MEDIA", "GET_MEDIA", "LIST_FRAGMENTS", "GET_MEDIA_FOR_FRAGMENT_LIST",
        "GET_HLS_STREAMING_SESSION_URL", "GET_DASH_STREAMING_SESSION_URL", "GET_CLIP",
        "GET_IMAGES",
    ]

    /// GetDataEndpoint: this server, as its operator calls it or as the client does.
    @Sendable func dataEndpoint(_ input: DataEndpointInput) async throws -> Answer {
        _ = try stream(name: input.StreamName, arn: input.StreamARN)
        guard let name = input.APIName, Self.apiNames.contains(name) else {
            throw APIError(
                .invalidArgument,
                "APIName must be one of \(Self.apiNames.sorted().joined(separator: ", "))."
            )
        }
        return Answer(json: .object(["DataEndpoint": .string(endpoint)]))
    }

    /// The configured public URL, else what the client used, with the port it used: some clients
    /// leave that out of `Host` (KVS 1.5).
    private var endpoint: String {
        if let url = server.configuration.publicURL { return url.description }
        let text = exchange.head.authority ?? "localhost"
        guard let authority = Authority(text) else { return "http://\(text)" }
        let host = authority.host.contains(":") ? "[\(authority.host)]" : authority.host
        return "http://\(host):\(authority.port ?? exchange.connection.localPort ?? 80)"
    }

    // MARK: Values

    /// `StreamInfo`: flat and small, no member without a value (KVS 1.2, 1.5).
    static func info(_ info: StreamInfo) -> JSONValue {
        let settings = info.settings
        return .object([
            "DeviceName": settings.deviceName.map { .string($0) },
            "StreamName": .string(settings.name.text),
            "StreamARN": .string(StreamARN(info).text),
            "MediaType": settings.mediaType.map { .string($0) },
            "KmsKeyId": .string(
                settings.kmsKeyID ?? "arn:aws:kms:us-east-1:000000000000:alias/aws/kinesisvideo"
            ),
            "Version": .string(info.version),
            "Status": .string("ACTIVE"),
            "CreationTime": .number(info.created.secondsText),
            "DataRetentionInHours": .integer(Int64(settings.retentionHours)),
        ])
    }

    private static func text(
        _ value: String?,
        _ name: String,
        _ countMax: Int
    ) throws(APIError)
        -> String?
    {
        guard let value else { return nil }
        guard (1...countMax).contains(value.count) else {
            throw APIError(
                .invalidArgument,
                "\(name) has \(value.count) characters; 1 to \(countMax) are allowed."
            )
        }
        return value
    }

    /// The text in a token.
    static func decodeToken(_ token: String?) throws(APIError) -> String? {
        guard let token else { return nil }
        guard let data = Data(base64Encoded: token),
            let text = String(validating: data, as: UTF8.self)
        else {
            throw APIError(
                .invalidArgument,
                "NextToken is none that this operation returned."
            )
        }
        return text
    }
}
