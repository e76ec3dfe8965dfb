import MediaModel
package import NIOCore

extension SampleTable {
    /// Reads a table's bytes.
    ///
    /// - Parameter table: Exactly the bytes of one table, as in TagBinary.
    /// - Throws: `.invalidTable` for another version, anything over the limits, over-long or
    ///   overflowing integers, counts that contradict each other, samples beyond the Cluster and
    ///   trailing bytes; the byte offset counts within the table.
    package init(decoding table: ByteBuffer) throws(MatroskaError) {
        guard table.readableBytes <= Self.byteCountMax else {
            throw Self.invalid("takes \(table.readableBytes) bytes")
        }
        let bytes = table.readableBytesUInt8Span
        guard bytes.count > 0, bytes[0] == Self.version else {
            throw Self.invalid("has a version other than \(Self.version)", at: 0)
        }
        var index = 1
        try self.init(facts: bytes, &index)
        var states = [TrackState?](repeating: nil, count: 128)
        try readTracks(bytes, &index, &states)
        let count = try LEB128.read(bytes, &index)
        guard count <= UInt64(Self.sampleCountMax) else {
            throw Self.invalid("claims \(count) samples", at: index)
        }
        try readSamples(Int(count), bytes, &index, states)
        guard index == bytes.count else {
            throw Self.invalid("has \(bytes.count - index) bytes too many", at: index)
        }
        try checkShape()
    }

    /// Reads everything before the tracks.
    private init(facts bytes: Span<UInt8>, _ index: inout Int) throws(MatroskaError) {
        let ordinal = try LEB128.read(bytes, &index)
        let session = try LEB128.read(bytes, &index)
        let producer = LEB128.unzigzag(try LEB128.read(bytes, &index))
        let server = LEB128.unzigzag(try LEB128.read(bytes, &index))
        let duration = try LEB128.read(bytes, &index)
        let source = try LEB128.read(bytes, &index)
        guard let clockSource = UInt8(exactly: source).flatMap(ClockSource.init) else {
            throw Self.invalid("names the unknown clock source \(source)", at: index)
        }
        let clockError = try LEB128.read(bytes, &index)
        let flags = try Self.small(bytes, &index)
        let mediaTime = LEB128.unzigzag(try LEB128.read(bytes, &index))
        let tagsBeforeLength = try LEB128.read(bytes, &index)
        let clusterLength = try LEB128.read(bytes, &index)
        let tagsAfterLength = try LEB128.read(bytes, &index)
        guard bytes.count - index >= 4 else { throw Self.invalid("ends early", at: index) }
        var tagsCRC: UInt32 = 0
        for place in 0..<4 { tagsCRC |= UInt32(bytes[index + place]) << UInt32(8 * place) }
        index += 4
        self.init(
            ordinal: ordinal,
            session: session,
            producerTimestamp: Timestamp(milliseconds: producer),
            serverTimestamp: Timestamp(milliseconds: server),
            durationMilliseconds: duration,
            clockSource: clockSource,
            clockErrorMilliseconds: clockError,
            flags: FragmentFlags(rawValue: flags),
            mediaTimeMilliseconds: mediaTime,
            tagsBeforeLength: tagsBeforeLength,
            clusterLength: clusterLength,
            tagsAfterLength: tagsAfterLength,
            tagsCRC: tagsCRC,
            tracks: [],
            samples: []
        )
    }

    private mutating func readTracks(
        _ bytes: Span<UInt8>,
        _ index: inout Int,
        _ states: inout [TrackState?]
    ) throws(MatroskaError) {
        let count = try LEB128.read(bytes, &index)
        guard count <= UInt64(Self.trackCountMax) else {
            throw Self.invalid("claims \(count) tracks", at: index)
        }
        for _ in 0..<count {
            let number = try Self.small(bytes, &index)
            let numerator = try Self.small(bytes, &index)
            let denominator = try Self.small(bytes, &index)
            let codecSet = try Self.small(bytes, &index)
            var state = TrackState()
            state.count = try LEB128.read(bytes, &index)
            state.firstDTS = LEB128.unzigzag(try LEB128.read(bytes, &index))
            state.firstPTS = LEB128.unzigzag(try LEB128.read(bytes, &index))
            guard (1...127).contains(number), states[Int(number)] == nil,
                let timeBase = TimeBase(numerator: numerator, denominator: denominator),
                state.count > 0 || (state.firstDTS, state.firstPTS) == (0, 0)
            else {
                throw Self.invalid("has a damaged entry for track \(number)", at: index)
            }
            tracks.append(
                SampleTrack(number: UInt8(number), timeBase: timeBase, codecSet: codecSet)
            )
            states[Int(number)] = state
        }
    }

    private mutating func readSamples(
        _ count: Int,
        _ bytes: Span<UInt8>,
        _ index: inout Int,
        _ stated: [TrackState?]
    ) throws(MatroskaError) {
        let start = index
        var columns: [[UInt64]] = []
        for _ in 0..<6 { columns.append(try SampleColumn.read(count, bytes, &index)) }
        var states = stated
        for number in states.indices { states[number]?.count = 0 }
        samples.reserveCapacity(count)
        var end: UInt64 = 0
        for row in 0..<count {
            guard columns[0][row] < 128, var state = states[Int(columns[0][row])],
                let size = UInt32(exactly: columns[2][row]), columns[5][row] <= 1
            else { throw Self.invalid("has a damaged sample \(row)", at: start) }
            let delta = LEB128.unzigzag(columns[3][row])
            let isFirst = state.count == 0
            let (dts, overflow) =
                isFirst
                ? (state.firstDTS, delta != 0) : state.dts.addingReportingOverflow(delta)
            let (pts, overflow2) = dts.addingReportingOverflow(LEB128.unzigzag(columns[4][row]))
            let (offset, overflow3) = end.addingReportingOverflow(columns[1][row])
            let (next, overflow4) = offset.addingReportingOverflow(UInt64(size))
            guard !overflow, !overflow2, !overflow3, !overflow4,
                !isFirst || pts == state.firstPTS
            else {
                throw Self.invalid("has impossible times or offsets in sample \(row)", at: start)
            }
            samples.append(
                SampleEntry(
                    track: UInt8(columns[0][row]),
                    offset: offset,
                    size: size,
                    dts: dts,
                    pts: pts,
                    isSync: columns[5][row] == 1
                )
            )
            end = next
            state.count += 1
            state.dts = dts
            states[Int(columns[0][row])] = state
        }
        guard zip(states, stated).allSatisfy({ $0?.count == $1?.count }) else {
            throw Self.invalid("counts other samples per track than it has", at: start)
        }
        try checkEnd(end)
    }

    private static func small(
        _ bytes: Span<UInt8>,
        _ index: inout Int
    ) throws(MatroskaError) -> UInt32 {
        let start = index
        let value = try LEB128.read(bytes, &index)
        guard let small = UInt32(exactly: value) else {
            throw invalid("holds \(value) where 32 bits are allowed", at: start)
        }
        return small
    }
}
