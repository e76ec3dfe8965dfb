import FoundationEssentials
import FragmentLog
import MediaModel

extension KVSRoutes {
    struct ListFragmentsInput: Decodable, Sendable {
        struct Range: Decodable, Sendable {
            var StartTimestamp: KVSTimestamp?
            var EndTimestamp: KVSTimestamp?
        }

        struct Selector: Decodable, Sendable {
            var FragmentSelectorType: String?
            var TimestampRange: Range?
        }

        var StreamName: String?
        var StreamARN: String?
        var MaxResults: Int?
        var NextToken: String?
        var FragmentSelector: Selector?
    }

    /// ListFragments: fragments whose start lies in a stretch, both ends included (KVS 4.1).
    @Sendable func listFragments(_ input: ListFragmentsInput) async throws -> Answer {
        let stream = try stream(name: input.StreamName, arn: input.StreamARN)
        let limit = input.MaxResults ?? 100
        guard (1...1000).contains(limit) else {
            throw APIError(.invalidArgument, "MaxResults is \(limit); 1 to 1000 are allowed.")
        }
        var selection = try input.FragmentSelector.map { try FragmentSelection($0, stream) }
        if let token = try Self.decodeToken(input.NextToken) {
            guard let carried = FragmentSelection(token: token), carried.stream == stream.id,
                selection.map({ $0.isSame(as: carried) }) ?? true
            else {
                throw APIError(
                    .invalidArgument,
                    "NextToken is none that this operation returned for this list."
                )
            }
            selection = carried
        }
        guard var selection else {
            throw APIError(.invalidArgument, "FragmentSelector is missing.")
        }
        // With retention 0 nothing is archived (KVS section 4).
        if stream.isRing { return Answer(json: .object(["Fragments": .array([])])) }
        var found: [FragmentRecord] = []
        var hasMore = false
        let range = selection.from..<selection.to.advanced(byMilliseconds: 1)
        scan: while true {
            let page = try await stream.fragments(
                FragmentQuery(
                    range: range,
                    clock: selection.clock,
                    limit: limit,
                    after: selection.after
                )
            )
            for record in page.fragments {
                let start = record.start(on: selection.clock)
                guard start >= selection.from, !record.flags.contains(.incomplete) else { continue }
                if found.count == limit {
                    hasMore = true
                    break scan
                }
                found.append(record)
                selection.after = FragmentPosition(start: start, number: record.number)
            }
            guard let next = page.next else { break }
            selection.after = next
        }
        return Answer(
            json: .object([
                "Fragments": .array(found.map(Self.fragment)),
                "NextToken": hasMore
                    ? .string(Data(selection.token.utf8).base64EncodedString()) : nil,
            ])
        )
    }

    private static func fragment(_ record: FragmentRecord) -> JSONValue {
        .object([
            "FragmentNumber": .string(record.number.description),
            "FragmentSizeInBytes": .unsigned(record.servedLength),
            "ProducerTimestamp": .number(record.producer.secondsText),
            "ServerTimestamp": .number(record.server.secondsText),
            "FragmentLengthInMilliseconds": .unsigned(UInt64(record.durationMilliseconds)),
        ])
    }
}

/// What a ListFragments request selects, and where the next page begins.
private struct FragmentSelection {
    let stream: StreamID
    let clock: StreamClock
    let from: Timestamp
    /// Included.
    let to: Timestamp
    var after: FragmentPosition?

    init(_ input: KVSRoutes.ListFragmentsInput.Selector, _ stream: StreamLog) throws(APIError) {
        self.stream = stream.id
        switch input.FragmentSelectorType {
        case "PRODUCER_TIMESTAMP": clock = .producer
        case "SERVER_TIMESTAMP": clock = .server
        default:
            throw APIError(
                .invalidArgument,
                "FragmentSelectorType must be PRODUCER_TIMESTAMP or SERVER_TIMESTAMP."
            )
        }
        guard let from = input.TimestampRange?.StartTimestamp?.timestamp,
            let to = input.TimestampRange?.EndTimestamp?.timestamp
        else {
            throw APIError(
                .invalidArgument,
                "TimestampRange needs StartTimestamp and EndTimestamp."
            )
        }
        guard from <= to else {
            throw APIError(
                .invalidArgument,
                "StartTimestamp \(from) is later than EndTimestamp \(to)."
            )
        }
        self.from = from
        self.to = to
    }

    func isSame(as other: FragmentSelection) -> Bool {
        stream == other.stream && clock == other.clock && from == other.from && to == other.to
    }

    /// Stream, selector and position as text.
    var token: String {
        "\(stream) \(clock.rawValue) \(from.milliseconds) \(to.milliseconds) "
            + (after.map { "\($0.start.milliseconds) \($0.number)" } ?? "")
    }

    init?(token: String) {
        let parts = token.split(separator: " ")
        guard parts.count == 6, let stream = StreamID(parts[0]),
            let clock = StreamClock(rawValue: String(parts[1])), let from = Int64(parts[2]),
            let to = Int64(parts[3]), from <= to, let start = Int64(parts[4]),
            let number = FragmentNumber(parts[5])
        else { return nil }
        self.stream = stream
        self.clock = clock
        self.from = Timestamp(milliseconds: from)
        self.to = Timestamp(milliseconds: to)
        after = FragmentPosition(start: Timestamp(milliseconds: start), number: number)
    }
}
