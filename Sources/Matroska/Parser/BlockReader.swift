import NIOCore

/// Finds the frames of SimpleBlocks and BlockGroups (RFC 9559, 10).
struct BlockReader {
    let tracks: [BlockTrack]

    /// Nanoseconds per tick.
    let timecodeScale: UInt64

    /// Ticks; small enough that any block offset can be added.
    let clusterTimecode: Int64

    /// The frames of a SimpleBlock or BlockGroup, with places counted from the element's first byte.
    ///
    /// - Throws: `.trackMismatch` for an undeclared track, `.invalidData` for anything misshapen.
    func samples(of element: Element) throws(MatroskaError) -> [BlockSample] {
        if element.id == .simpleBlock {
            return try samples(
                of: element,
                in: element.headLength..<element.bytes.readableBytes,
                isKeyframe: nil,
                duration: nil
            )
        }
        var block: Range<Int>?
        var duration: UInt64?
        var isKeyframe = true
        var children = element.children
        while let child = try children.next() {
            switch child.id {
            case .block:
                guard block == nil else { throw malformed(element, "has a second Block") }
                let start = Int(child.offset - element.offset)
                block = start + child.headLength..<start + child.bytes.readableBytes
            case .blockDuration: duration = try child.unsigned()
            case .referenceBlock: isKeyframe = false
            default: break
            }
        }
        guard let block else { throw malformed(element, "has no Block") }
        return try samples(of: element, in: block, isKeyframe: isKeyframe, duration: duration)
    }

    /// Reads a block whose data (track number, offset, flags, frames) lie at `range` in the element;
    /// `isKeyframe` is what a BlockGroup says, `nil` asks the block's own flag.
    private func samples(
        of element: Element,
        in range: Range<Int>,
        isKeyframe: Bool?,
        duration: UInt64?
    ) throws(MatroskaError) -> [BlockSample] {
        let bytes = element.bytes.readableBytesUInt8Span
        var index = range.lowerBound
        let limit = range.upperBound
        guard index < limit else { throw malformed(element, "is empty") }
        let numberLength = bytes[index].leadingZeroBitCount + 1
        guard numberLength <= 8, limit - index >= numberLength + 3 else {
            throw malformed(element, "is too short for its track number, offset and flags")
        }
        var number = UInt64(bytes[index])
        for place in index + 1..<index + numberLength {
            number = number << 8 | UInt64(bytes[place])
        }
        number &= (1 << UInt64(7 * numberLength)) - 1
        index += numberLength
        guard let track = tracks.first(where: { UInt64($0.number) == number }) else {
            throw MatroskaError(
                .trackMismatch,
                "A block belongs to track \(number), which Tracks does not declare.",
                at: element.offset
            )
        }
        let offset = Int16(bitPattern: UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]))
        let flags = bytes[index + 2]
        index += 3
        var sample = BlockSample(
            track: track.number,
            timecode: clusterTimecode + Int64(offset),
            isKeyframe: isKeyframe ?? (flags & 0x80 != 0),
            offset: index,
            length: limit - index,
            duration: duration.flatMap { Int64(exactly: $0) }
        )
        guard let lacing = Lacing(flags: flags) else { return [sample] }
        let lengths: [Int]
        do {
            lengths = try lacing.frameLengths(bytes, &index, limit)
        } catch {
            throw malformed(element, error.found)
        }
        let clock = LaceClock(
            timecodeScale: timecodeScale,
            defaultDuration: track.defaultDuration,
            blockDuration: sample.duration,
            frameCount: lengths.count
        )
        var samples: [BlockSample] = []
        samples.reserveCapacity(lengths.count)
        let first = sample.timecode
        for (frame, length) in lengths.enumerated() {
            guard let ticks = clock.ticks(before: frame),
                case (let timecode, false) = first.addingReportingOverflow(ticks)
            else {
                throw MatroskaError(
                    .timecodeOutOfRange,
                    "A laced block's frames last too long for 64-bit times.",
                    at: element.offset
                )
            }
            sample.offset = index
            sample.length = length
            sample.timecode = timecode
            sample.duration = clock.duration(of: frame)
            samples.append(sample)
            index += length
        }
        return samples
    }

    private func malformed(_ element: Element, _ found: String) -> MatroskaError {
        MatroskaError(
            .invalidData,
            "Block element \(element.id) \(found); send valid blocks.",
            at: element.offset
        )
    }
}
