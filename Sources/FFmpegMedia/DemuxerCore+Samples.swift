import CFFmpeg
import MediaModel
import NIOCore

extension DemuxerCore {
    /// Makes a sample of a packet; `nil` when there is nothing to deliver.
    ///
    /// - Throws: When the packet brings a track too many.
    func receive(_ packet: UnsafeMutablePointer<AVPacket>) throws -> DemuxedSample? {
        try addStreams()
        let index = unsafe Int(packet.pointee.stream_index)
        guard index >= 0, index < streams.count else { return nil }
        if case .pending = streams[index] { try decide(index, isLast: true) }
        guard case .track(var state) = streams[index] else { return nil }
        defer { streams[index] = .track(state) }

        let isSync = unsafe packet.pointee.flags & AV_PKT_FLAG_KEY != 0
        var isNew = unsafe takeSideData(of: packet, &state)
        guard let start = unsafe packet.pointee.data, unsafe packet.pointee.size > 0 else {
            droppedSampleCount += 1
            return nil
        }
        let bytes = unsafe Span<UInt8>(_unsafeStart: start, count: Int(packet.pointee.size))
        let output = state.normalizer.normalize(bytes, isSync: isSync)
        isNew = isNew || output.isCodecPrivateNew
        if isNew {
            tracks[state.index].update(from: state.normalizer)
            state.continuation?.update(from: state.normalizer)
        }
        if let header = tracks[state.index].complete(from: bytes) {
            state.continuation?.update(from: header)
            isNew = true
        }
        if isNew { state.isAnnounced = false }
        let times = unsafe times(of: packet, output.payload, &state)
        guard output.payload.readableBytes > 0 else {
            droppedSampleCount += 1
            return nil
        }
        defer { state.isAnnounced = true }
        let damage = unsafe packet.pointee.flags & AV_PKT_FLAG_CORRUPT != 0
        let isClosed = output.facts.isInstantRefresh
        let isOpen =
            output.facts.isOpenRandomAccess || (output.facts.hasRecoveryPoint && !isClosed)
        return DemuxedSample(
            track: state.index,
            payload: output.payload,
            pts: times.pts,
            dts: times.dts,
            duration: times.duration,
            isSync: isSync,
            startsOpenGOP: isSync && isOpen,
            isCorrupt: damage || output.isDamaged,
            newCodecPrivate: state.isAnnounced ? nil : tracks[state.index].codecPrivate
        )
    }

    /// The times of a packet, unwrapped; a frame that is left out takes up its time as well.
    private func times(
        of packet: UnsafeMutablePointer<AVPacket>,
        _ payload: ByteBuffer,
        _ state: inout TrackState
    ) -> (pts: Int64?, dts: Int64?, duration: Int64) {
        let bits = unsafe context.stream(Int(packet.pointee.stream_index))?.pts_wrap_bits ?? 64
        var dts = unsafe clock.unwrap(packet.pointee.dts.timestamp, bitCount: bits)
        var pts = unsafe clock.unwrap(packet.pointee.pts.timestamp, bitCount: bits)
        var duration = unsafe max(packet.pointee.duration, 0)
        if state.continuation != nil {
            pts = state.continuation?.next(
                stated: pts ?? dts,
                duration: duration,
                sampleCount: tracks[state.index].codecID == "A_OPUS"
                    ? OpusPacket.sampleCount(payload.readableBytesUInt8Span) : nil
            )
            dts = dts ?? pts
            if duration == 0, let pts, let end = state.continuation?.end {
                duration = max(0, end.subtractingReportingOverflow(pts).partialValue)
            }
        }
        if !tracks[state.index].statesDecodeTimes, tracks[state.index].kind == .video {
            // What libavformat infers without a decoder is right for some streams only.
            dts = nil
        }
        return (pts, dts, duration)
    }

    /// Takes new extradata that a packet carries; gives whether CodecPrivate changed.
    private func takeSideData(
        of packet: UnsafeMutablePointer<AVPacket>,
        _ state: inout TrackState
    ) -> Bool {
        var count = 0
        guard
            let data = unsafe av_packet_get_side_data(
                packet,
                AV_PKT_DATA_NEW_EXTRADATA,
                &count
            ), count > 0
        else { return false }
        return state.normalizer.update(
            setUp: unsafe [UInt8](UnsafeBufferPointer(start: data, count: count))
        )
    }
}

extension Int64 {
    /// A time of libavformat, or `nil` for `AV_NOPTS_VALUE`.
    fileprivate var timestamp: Int64? {
        self == ff_nopts ? nil : self
    }
}
