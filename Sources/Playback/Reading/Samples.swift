package import FragmentLog
package import Matroska
import NIOCore

/// The sample table of a stored fragment.
///
/// - Parameters:
///   - stream: The fragment's stream.
///   - record: The fragment.
/// - Returns: The table; offsets count from the first byte of the Cluster's data.
/// - Throws: `.gone`, `.damaged`, `.ioError`, `.cancelled`.
package func samples(
    stream: StreamLog,
    record: FragmentRecord
) async throws(PlaybackError) -> SampleTable {
    let tags: ByteBuffer
    do throws(LogError) {
        tags = try await stream.read(record, .samples)
    } catch {
        throw PlaybackError(error)
    }
    do throws(MatroskaError) {
        return try SampleTable(tags: tags)
    } catch {
        throw PlaybackError(error, reading: "The sample table of fragment \(record.number)")
    }
}
