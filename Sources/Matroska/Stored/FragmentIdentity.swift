import MediaModel
import NIOCore

/// What the server tags of a stored fragment say.
struct FragmentIdentity {
    let number: FragmentNumber
    let serverTimestamp: Timestamp
    let producerTimestamp: Timestamp

    /// - Parameters:
    ///   - bytes: Exactly the second part of a stored fragment.
    ///   - offset: Where it begins, for messages.
    /// - Throws: `.invalidData` when anything is missing, `.checksumMismatch` when damaged.
    init(serverTags bytes: ByteBuffer, at offset: Int64) throws(MatroskaError) {
        var elements = ElementReader(bytes, at: offset)
        guard let element = try elements.next(), element.id == .tags,
            try element.checkLeadingChecksum()
        else { throw Self.damaged("have no CRC-32", offset) }
        let items = try TagItem.items(of: element)
        func value(_ name: String) throws(MatroskaError) -> String {
            guard let item = items.first(where: { $0.name == name }) else {
                throw Self.damaged("lack \(name)", offset)
            }
            return item.value
        }
        guard let number = FragmentNumber(try value(TagItem.fragmentNumberName)),
            let server = Timestamp(secondsText: try value(TagItem.serverTimestampName)),
            let producer = Timestamp(secondsText: try value(TagItem.producerTimestampName))
        else { throw Self.damaged("hold no number or timestamps", offset) }
        self.number = number
        serverTimestamp = server
        producerTimestamp = producer
    }

    private static func damaged(_ found: String, _ offset: Int64) -> MatroskaError {
        MatroskaError(.invalidData, "The server tags of a fragment \(found).", at: offset)
    }
}
