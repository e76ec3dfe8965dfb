import FragmentLog
import MediaModel
import NIOCore

/// The Cluster that is being received, or was and may still get tags.
struct ArrivingCluster {
    var facts: ClusterFacts

    /// Producer time of its timecode.
    let producer: Timestamp

    /// When its first byte arrived.
    let server: Timestamp

    /// Its fragment, once the first frame has come.
    var fragment: OpenFragment?

    /// Children before the first frame.
    var children: [ByteBuffer] = []

    /// Its last child has arrived.
    var isEnded = false

    var tagsBefore: TagCollector
    var tagsAfter = TagCollector()

    /// Flags that turn up on the way.
    var flags: FragmentFlags = []

    var number: FragmentNumber? { fragment?.number }
}
