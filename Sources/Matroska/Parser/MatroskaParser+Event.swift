package import NIOCore

extension MatroskaParser {
    /// What the parser found, in the order of the bytes.
    package enum Event: Equatable, Sendable {
        /// Every byte before the first Cluster is in.
        case header(DocumentHeader)

        /// The id of a Cluster has arrived: the moment of the server timestamp (KVS 2.4).
        case clusterStart

        /// The Cluster's timecode, in ticks of TimecodeScale; comes once per Cluster, before any
        /// sample.
        case timecode(UInt64)

        /// A child of the Cluster that is kept, with the frames it holds.
        ///
        /// `bytes` is the whole element as sent, a slice of the bytes fed where it lies within
        /// one. CRC-32, Position, PrevSize and Void do not come.
        case child(bytes: ByteBuffer, samples: [BlockSample])

        /// The Cluster is over: its last byte is in, or what follows an unknown-sized one began.
        case clusterEnd

        /// A Tags element after the first Cluster; `raw` is the whole element as sent.
        case tags(raw: ByteBuffer, items: [TagItem])
    }
}
