import MediaModel
package import NIOCore

extension SampleTable {
    /// The table's bytes; equal tables have equal bytes.
    ///
    /// - Throws: `.invalidTable` for a table that could not be read back: over the limits, samples
    ///   of undeclared tracks, out of order or beyond the Cluster, or times so far apart that
    ///   their difference does not fit 64 bits.
    package func encode() throws(MatroskaError) -> ByteBuffer {
        try checkShape()
        var columns = [[UInt64]](repeating: [], count: 6)
        for column in columns.indices { columns[column].reserveCapacity(samples.count) }
        var states = [TrackState?](repeating: nil, count: 128)
        for track in tracks { states[Int(track.number)] = TrackState() }
        var end: UInt64 = 0
        for sample in samples {
            guard sample.track < 128, var state = states[Int(sample.track)] else {
                throw Self.invalid("has a sample of the undeclared track \(sample.track)")
            }
            let (delta, overflow) =
                state.count == 0
                ? (0, false) : sample.dts.subtractingReportingOverflow(state.dts)
            let (lead, overflow2) = sample.pts.subtractingReportingOverflow(sample.dts)
            let (next, overflow3) = sample.offset.addingReportingOverflow(UInt64(sample.size))
            guard !overflow, !overflow2, !overflow3, sample.offset >= end else {
                throw Self.invalid(
                    "has a sample at offset \(sample.offset) that overlaps another, or whose times are too far apart"
                )
            }
            columns[0].append(UInt64(sample.track))
            columns[1].append(sample.offset - end)
            columns[2].append(UInt64(sample.size))
            columns[3].append(LEB128.zigzag(delta))
            columns[4].append(LEB128.zigzag(lead))
            columns[5].append(sample.isSync ? 1 : 0)
            end = next
            if state.count == 0 { (state.firstDTS, state.firstPTS) = (sample.dts, sample.pts) }
            state.count += 1
            state.dts = sample.dts
            states[Int(sample.track)] = state
        }
        try checkEnd(end)

        var bytes = ByteBuffer()
        bytes.reserveCapacity(128 + samples.count * 4)
        writeFacts(to: &bytes)
        LEB128.write(UInt64(tracks.count), to: &bytes)
        for track in tracks {
            let state = states[Int(track.number)] ?? TrackState()
            for value in [
                UInt64(track.number), UInt64(track.timeBase.numerator),
                UInt64(track.timeBase.denominator), UInt64(track.codecSet), state.count,
                LEB128.zigzag(state.firstDTS), LEB128.zigzag(state.firstPTS),
            ] {
                LEB128.write(value, to: &bytes)
            }
        }
        LEB128.write(UInt64(samples.count), to: &bytes)
        for column in columns { SampleColumn.write(column, to: &bytes) }
        guard bytes.readableBytes <= Self.byteCountMax else {
            throw Self.invalid("takes \(bytes.readableBytes) bytes")
        }
        return bytes
    }

    /// What is known of a track while its samples go by.
    struct TrackState {
        var count: UInt64 = 0
        var firstDTS: Int64 = 0
        var firstPTS: Int64 = 0
        var dts: Int64 = 0
    }

    private func writeFacts(to bytes: inout ByteBuffer) {
        bytes.writeInteger(Self.version)
        for value in [
            ordinal, session, LEB128.zigzag(producerTimestamp.milliseconds),
            LEB128.zigzag(serverTimestamp.milliseconds), durationMilliseconds,
            UInt64(clockSource.rawValue), clockErrorMilliseconds, UInt64(flags.rawValue),
            LEB128.zigzag(mediaTimeMilliseconds), tagsBeforeLength, clusterLength, tagsAfterLength,
        ] {
            LEB128.write(value, to: &bytes)
        }
        bytes.writeInteger(tagsCRC, endianness: .little)
    }

    /// Refuses what exceeds the limits or would be ambiguous.
    func checkShape() throws(MatroskaError) {
        guard samples.count <= Self.sampleCountMax, tracks.count <= Self.trackCountMax else {
            throw Self.invalid("has \(samples.count) samples in \(tracks.count) tracks")
        }
        var seen = Set<UInt8>()
        for track in tracks
        where !(1...127).contains(track.number) || !seen.insert(track.number).inserted {
            throw Self.invalid("has track \(track.number) twice, or with a number not in 1 to 127")
        }
    }

    /// Refuses samples that reach beyond the Cluster.
    ///
    /// - Parameter end: The first byte after the last sample, counted in the Cluster's data.
    /// - Throws: `.invalidTable` when that lies beyond the Cluster.
    func checkEnd(_ end: UInt64) throws(MatroskaError) {
        let data = clusterLength - min(clusterLength, UInt64(ClusterWriter.headLength))
        guard end <= data else {
            throw Self.invalid(
                "has samples up to byte \(end) of a Cluster with \(data) bytes of data"
            )
        }
    }
}
