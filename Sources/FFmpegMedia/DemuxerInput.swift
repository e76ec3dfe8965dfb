import CFFmpeg
import NIOCore

/// The byte source of a demuxer: an `AVIOContext` that reads from a pipe.
@safe final class DemuxerInput {
    let pipe: BytePipe

    /// Whether reading was refused because no sample came out for too long.
    private(set) var isOverLimit = false

    /// Whether the demuxer was told that the bytes end although a next fragment follows.
    private(set) var isCut = false

    /// The most bytes that may be read without a sample coming out.
    private let byteCountWithoutSampleMax: Int

    private var byteCountWithoutSample = 0

    private var context: UnsafeMutablePointer<AVIOContext>?

    /// Follows the boxes of MP4; `nil` for other containers.
    private var tracker: FragmentedMP4Tracker?

    /// Whether to end at the next fragment.
    private var isCutWanted = false

    /// The initialisation segment, to be read again before anything else.
    private var replay = ByteBuffer()

    /// Bytes from the pipe that lie behind the cut.
    private var held = ByteBuffer()

    /// Bytes from the pipe that the demuxer has got.
    private var position: Int64 = 0

    /// Whether the next bytes lie elsewhere than behind the bytes before.
    private var isPositionNew = false

    /// Bytes that libavformat asks for at a time.
    private static let bufferByteCount = 16 * 1024

    /// An input at the pipe's first byte.
    ///
    /// - Throws: When there is no memory.
    init(pipe: BytePipe, format: InputFormat, byteCountWithoutSampleMax: Int) throws {
        self.pipe = pipe
        self.byteCountWithoutSampleMax = byteCountWithoutSampleMax
        tracker = format == .mp4 ? FragmentedMP4Tracker() : nil
        try allocate()
    }

    deinit {
        pipe.closeReading()
        free()
    }

    private func allocate() throws {
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

    private func free() {
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

    /// Ends the bytes where the next fragment begins, if they are of a kind that allows it.
    func cutAtNextFragment() {
        isCutWanted = true
    }

    /// Goes on behind a cut: with the initialisation segment and then the fragment.
    ///
    /// No `AVFormatContext` may refer to the input any more.
    ///
    /// - Returns: Whether there are more bytes.
    /// - Throws: When there is no memory.
    func resume() throws -> Bool {
        precondition(isCut)
        free()
        try allocate()
        replay = tracker?.initSegment ?? ByteBuffer()
        isCut = false
        isCutWanted = false
        isPositionNew = true
        // The cut was found by looking at the fragment's first bytes.
        return held.readableBytes > 0
    }

    private func read(_ target: UnsafeMutableRawBufferPointer) -> Int32 {
        if byteCountWithoutSample >= byteCountWithoutSampleMax {
            isOverLimit = true
            return ff_error_exit
        }
        if isCut { return ff_error_eof }
        if replay.readableBytes > 0 { return unsafe Self.take(from: &replay, target) }
        if isPositionNew, let context = unsafe context {
            // Some fragments state where their media lies in the file.
            unsafe context.pointee.pos = position
            isPositionNew = false
        }
        guard let count = unsafe take(target) else { return ff_error_exit }
        byteCountWithoutSample += count
        let taken = unsafe pass(UnsafeMutableRawBufferPointer(rebasing: target[..<count]))
        position += Int64(taken)
        return taken == 0 ? ff_error_eof : Int32(taken)
    }

    /// Copies held bytes, or else bytes from the pipe; `nil` after an abort.
    private func take(_ target: UnsafeMutableRawBufferPointer) -> Int? {
        if held.readableBytes > 0 { return unsafe Int(Self.take(from: &held, target)) }
        return unsafe pipe.read(into: target)
    }

    private static func take(
        from buffer: inout ByteBuffer,
        _ target: UnsafeMutableRawBufferPointer
    ) -> Int32 {
        Int32(
            unsafe buffer.readWithUnsafeReadableBytes { bytes in
                let count = min(bytes.count, target.count)
                unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                return count
            }
        )
    }

    /// How many of the bytes the demuxer may have; those behind a cut are held.
    private func pass(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
        guard tracker != nil else { return bytes.count }
        let span = unsafe Span<UInt8>(_unsafeBytes: bytes)
        let taken = tracker?.consume(span, isCutWanted: isCutWanted) ?? bytes.count
        guard taken < bytes.count else { return taken }
        var behind = ByteBuffer()
        unsafe behind.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[taken...]))
        behind.writeImmutableBuffer(held)
        held = behind
        isCut = true
        return taken
    }
}
