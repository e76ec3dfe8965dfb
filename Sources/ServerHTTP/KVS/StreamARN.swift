import FragmentLog
import MediaModel

/// The name by which KVS clients call one incarnation of a stream (KVS 1.4).
struct StreamARN: Equatable, Sendable {
    let name: StreamName
    /// When the stream was made, in milliseconds since 1970.
    let created: Int64

    /// Partition, service, region and account: constants, since there is one of each here.
    static let prefix = "arn:aws:kinesisvideo:us-east-1:000000000000:stream/"

    /// The ARN of a stream.
    init(_ info: StreamInfo) {
        name = info.name
        created = info.created.milliseconds
    }

    /// Reads an ARN of any region and account: what counts is the stream and when it was made.
    ///
    /// Gives `nil` when the text is not of the form
    /// `arn:…:kinesisvideo:<region>:<account>:stream/<name>/<creation-ms>`.
    init?(_ text: String) {
        guard text.utf8.count <= 1024 else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[2] == "kinesisvideo", !parts[1].isEmpty,
            !parts[3].isEmpty, !parts[4].isEmpty,
            parts[4].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
        else { return nil }
        let resource = parts[5].split(separator: "/", omittingEmptySubsequences: false)
        guard resource.count == 3, resource[0] == "stream", let name = StreamName(resource[1]),
            !resource[2].isEmpty, resource[2].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let created = Int64(resource[2])
        else { return nil }
        self.name = name
        self.created = created
    }

    /// The ARN as text.
    var text: String { "\(Self.prefix)\(name)/\(created)" }
}
