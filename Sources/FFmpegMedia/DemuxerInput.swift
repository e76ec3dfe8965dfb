import CFFmpeg
import NIOCore

/// The byte source of a demuxer: an `AVIOContext` that reads from a pipe.
@safe final class DemuxerInput {
    let pipe: BytePipe

    /// Why reading was refused, if it was for a limit.
    private(set) var isOverLimit = false

    /// The most bytes that may be read without a sample coming out.
    private let byteCountWithoutSampleMax: Int

    private var byteCountWithoutSample = 0

    private var context: UnsafeMutablePointer<AVIOContext>?

    /// Bytes that libavformat asks for at a time.
    private static let bufferByteCount = 16 * 1024

    /// An input at the pipe's first byte.
    ///
    /// - Throws: When there is no memory.
    init(pipe: BytePipe, byteCountWithoutSampleMax: Int) throws {
        self.pipe = pipe
        self.byteCountWithoutSampleMax = byteCountWithoutSampleMax
        guard let buffer = unsafe av_malloc(Self.bufferByteCount) else {
            throw Libav.outOfMemory("av_malloc")
        }
        let opaque = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe context = avio_alloc_context(
            buffer.assumingMemoryBound(to: UInt8.self),
            Int32(Self.bufferByteCount),
            0,
            opaque,
            { opaque, target, count in
                guard let opaque = unsafe opaque, let target = unsafe target, count > 0 else {
                    return ff_error_argument
                }
                let input = unsafe Unmanaged<DemuxerInput>.fromOpaque(opaque).takeUnretainedValue()
                return unsafe input.read(
                    UnsafeMutableRawBufferPointer(start: target, count: Int(count))
                )
            },
            nil,
            nil
        )
        guard let context = unsafe context else {
            unsafe av_free(buffer)
            throw Libav.outOfMemory("avio_alloc_context")
        }
        unsafe context.pointee.seekable = 0
    }

    deinit {
        pipe.closeReading()
        // libavformat may have replaced the buffer: free the one the context holds now.
        if let context = unsafe context {
            unsafe av_freep(&context.pointee.buffer)
        }
        unsafe avio_context_free(&context)
    }

    /// Lends the context to `AVFormatContext`, which does not own it.
    func attach(to format: UnsafeMutablePointer<AVFormatContext>) {
        unsafe format.pointee.pb = context
    }

    /// Starts counting again: a sample came out.
    func sampleDelivered() {
        byteCountWithoutSample = 0
    }

    /// Whether libavformat should give up at its next look.
    var isInterrupted: Bool {
        isOverLimit || pipe.failure != nil
    }

    private func read(_ target: UnsafeMutableRawBufferPointer) -> Int32 {
        if byteCountWithoutSample >= byteCountWithoutSampleMax {
            isOverLimit = true
            return ff_error_exit
        }
        guard let count = unsafe pipe.read(into: target) else { return ff_error_exit }
        byteCountWithoutSample += count
        return count == 0 ? ff_error_eof : Int32(count)
    }
}
