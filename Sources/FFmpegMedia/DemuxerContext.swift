import CFFmpeg

/// An opened `AVFormatContext` and the input it reads from.
@safe final class DemuxerContext {
    private let input: DemuxerInput
    private var context: UnsafeMutablePointer<AVFormatContext>?

    /// Allocates a context that may read its input and nothing else.
    ///
    /// - Throws: When there is no memory.
    init(input: DemuxerInput) throws {
        self.input = input
        unsafe context = avformat_alloc_context()
        guard let context = unsafe context else {
            throw Libav.outOfMemory("avformat_alloc_context")
        }
        unsafe input.attach(to: context)
        unsafe context.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
        unsafe Self.confine(context, to: input)
    }

    deinit {
        close()
    }

    /// Frees everything; no packet can be read any more.
    func close() {
        // Does not touch the input's AVIOContext: AVFMT_FLAG_CUSTOM_IO.
        unsafe avformat_close_input(&context)
    }

    /// Refuses every second resource, and lets an abort of the input interrupt long work.
    private static func confine(
        _ context: UnsafeMutablePointer<AVFormatContext>,
        to input: DemuxerInput
    ) {
        unsafe context.pointee.io_open = { _, _, _, _, _ in ff_error_permission }
        unsafe context.pointee.interrupt_callback.opaque = Unmanaged.passUnretained(input)
            .toOpaque()
        unsafe context.pointee.interrupt_callback.callback = { opaque in
            guard let opaque = unsafe opaque else { return 1 }
            let input = unsafe Unmanaged<DemuxerInput>.fromOpaque(opaque).takeUnretainedValue()
            return input.isInterrupted ? 1 : 0
        }
    }

    /// Opens the named demuxer and finds out about the streams.
    ///
    /// - Returns: Zero, or the first error number and the call that gave it.
    func open(_ format: InputFormat, _ limits: DemuxerLimits) -> (Int32, StaticString) {
        var options = unsafe Self.options(format, limits)
        defer { unsafe av_dict_free(&options) }
        guard let demuxer = unsafe av_find_input_format(format.demuxerName) else {
            return (ff_error_argument, "av_find_input_format")
        }
        // On failure the call frees the context and clears the pointer.
        let opened = unsafe avformat_open_input(&context, "", demuxer, &options)
        if opened < 0 { return (opened, "avformat_open_input") }
        // What is left was not understood: a confinement that does not hold.
        if unsafe av_dict_count(options) > 0 { return (ff_error_argument, "an option is unknown") }
        let found = unsafe avformat_find_stream_info(context, nil)
        return (min(found, 0), "avformat_find_stream_info")
    }

    private static func options(_ format: InputFormat, _ limits: DemuxerLimits) -> OpaquePointer? {
        let values: [(String, String)] = [
            ("format_whitelist", format.whitelist),
            ("protocol_whitelist", ""),
            // No decoder has this name: none is opened on bytes from outside.
            ("codec_whitelist", "none"),
            ("analyzeduration", String(limits.analysisMicroseconds)),
            ("fpsprobesize", "0"),
            // libavformat's buffer grows to this size while it looks for the tables of MPEG-TS.
            ("probesize", String(limits.analysisByteCount)),
            ("max_streams", String(limits.streamCountMax)),
            // Nobody seeks: the index of key frames need not grow.
            ("indexmem", "65536"),
        ]
        var options: OpaquePointer?
        for (name, value) in values { unsafe av_dict_set(&options, name, value, 0) }
        return unsafe options
    }

    /// Streams known so far.
    var streamCount: Int {
        guard let context = unsafe context else { return 0 }
        return unsafe Int(context.pointee.nb_streams)
    }

    /// A copy of a stream's fields; its pointers are good until the next read.
    func stream(_ index: Int) -> AVStream? {
        guard let context = unsafe context, index >= 0, index < streamCount,
            let stream = unsafe context.pointee.streams[index]
        else { return nil }
        return unsafe stream.pointee
    }

    /// Tells the demuxer that a stream's packets are not wanted.
    func discard(_ index: Int) {
        guard let context = unsafe context, index >= 0, index < streamCount,
            let stream = unsafe context.pointee.streams[index]
        else { return }
        unsafe stream.pointee.discard = AVDISCARD_ALL
    }

    /// Reads the next packet.
    ///
    /// - Returns: Zero or an error number.
    func read(into packet: UnsafeMutablePointer<AVPacket>) -> Int32 {
        guard let context = unsafe context else { return ff_error_argument }
        return unsafe av_read_frame(context, packet)
    }
}

/// An `AVPacket` that is reused for every sample.
@safe final class DemuxerPacket {
    private var packet: UnsafeMutablePointer<AVPacket>?

    /// An empty packet.
    ///
    /// - Throws: When there is no memory.
    init() throws {
        unsafe packet = av_packet_alloc()
        if unsafe packet == nil { throw Libav.outOfMemory("av_packet_alloc") }
    }

    deinit {
        unsafe av_packet_free(&packet)
    }

    /// Fills the packet from a context, runs `body` on it and empties it again.
    ///
    /// - Returns: What `body` gave, or the error number of the read.
    /// - Throws: What `body` throws.
    func fill<Success>(
        from context: DemuxerContext,
        _ body: (UnsafeMutablePointer<AVPacket>) throws -> Success
    ) throws -> Result<Success, LibavCode> {
        guard let packet = unsafe packet else { return .failure(LibavCode(ff_error_argument)) }
        let code = unsafe context.read(into: packet)
        if code < 0 { return .failure(LibavCode(code)) }
        defer { unsafe av_packet_unref(packet) }
        return .success(try unsafe body(packet))
    }
}

/// An error number of libav*.
struct LibavCode: Error, Equatable {
    let value: Int32

    init(_ value: Int32) { self.value = value }
}
