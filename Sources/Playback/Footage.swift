package import NIOCore

/// Stored or arriving media in some form of output, piece by piece.
package protocol Footage: Sendable {
    /// The next piece, at most 256 KiB; `nil` at the orderly end.
    ///
    /// - Throws: ``PlaybackError``; `.cancelled` when the task was cancelled, at a place where what
    ///   was given out can end.
    mutating func next() async throws(PlaybackError) -> ByteBuffer?
}

extension FragmentDocument: Footage {}
extension ContinuedDocument: Footage {}
extension MatroskaStream: Footage {}
extension KVSMedia: Footage {}
