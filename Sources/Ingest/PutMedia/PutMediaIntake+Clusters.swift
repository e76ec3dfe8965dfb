import FragmentLog
import Matroska
import MediaModel
import NIOCore

extension PutMediaIntake {
    /// A Cluster's id has arrived: the one before it is complete.
    mutating func clusterStarts() {
        clusterArrival = clock.now()
        cluster?.isEnded = true
    }

    /// A Cluster's timecode has arrived, and with it the length of the one before it.
    mutating func timecodeArrives(_ timecode: UInt64) async throws(PutMediaStop) {
        guard let media else { return }
        if let lastTimecode, timecode <= lastTimecode {
            try closeCluster(nextStartMs: nil)
            throw PutMediaStop(
                .fragmentTimecodeLesserThanPrevious,
                "A Cluster has the timecode \(timecode) after one of \(lastTimecode); they must grow within a connection.",
                timecode: timecode
            )
        }
        let startMs = media.milliseconds(timecode)
        try closeCluster(nextStartMs: startMs)
        guard let startMs, let producer = media.producer(ofMs: startMs) else {
            throw PutMediaStop(
                .invalidProducerTimestamp,
                "A Cluster has the timecode \(timecode), which lies outside the years 1970 to 9999.",
                timecode: timecode
            )
        }
        lastTimecode = timecode
        cluster = ArrivingCluster(
            facts: ClusterFacts(timecode: timecode, startMs: startMs),
            producer: producer,
            server: clusterArrival ?? clock.now(),
            tagsBefore: tagsBefore
        )
        tagsBefore = TagCollector()
    }

    /// A child of the Cluster has arrived.
    mutating func childArrives(
        _ bytes: ByteBuffer,
        _ samples: [BlockSample]
    ) async throws(PutMediaStop) {
        guard let facts = cluster?.facts, let governing = media?.governing else { return }
        cluster?.facts.byteCount += bytes.readableBytes
        guard facts.byteCount + bytes.readableBytes <= limits.fragmentBytesMax,
            facts.sampleCount + samples.count <= limits.fragmentSamplesMax
        else {
            throw PutMediaStop(
                .maxFragmentSizeReached,
                "A Cluster exceeds \(limits.fragmentBytesMax) bytes or \(limits.fragmentSamplesMax) frames; send shorter fragments."
            ).about(facts.timecode, cluster?.number)
        }
        if samples.isEmpty, let cluster, cluster.fragment == nil {
            try checkLeading(cluster)
            self.cluster?.children.append(bytes)
            return
        }
        var entries: [SampleEntry] = []
        entries.reserveCapacity(samples.count)
        for sample in samples {
            try checkDuration(sample, facts)
            let payload =
                bytes.getSlice(at: bytes.readerIndex + sample.offset, length: sample.length)
                ?? ByteBuffer()
            let isVideo = media?.isVideo(sample.track) ?? false
            let isSync = sample.isKeyframe || !isVideo
            let isGoverning = sample.track == governing.number
            if isVideo, isSync, media?.startsOpenGOP(payload, of: sample.track) == true,
                isGoverning, cluster?.facts.startsWithSync == nil
            {
                cluster?.flags.insert(.openGOP)
            }
            cluster?.facts.add(sample, isGoverning: isGoverning, isSync: isSync)
            guard
                let made = media?.entry(
                    sample,
                    isSync: isSync,
                    payload: payload.readableBytesView
                )
            else { continue }
            if made.isAdjusted { cluster?.flags.insert(.dtsAdjusted) }
            entries.append(made.entry)
        }
        try await append(bytes, entries)
    }

    /// What comes before the first frame is in no fragment yet that the memory budget would count.
    private func checkLeading(_ cluster: ArrivingCluster) throws(PutMediaStop) {
        guard cluster.children.count < limits.leadingElementsMax,
            cluster.facts.byteCount <= limits.leadingBytesMax
        else {
            throw PutMediaStop(
                .invalidMKVData,
                "A Cluster has more than \(limits.leadingElementsMax) elements or \(limits.leadingBytesMax) bytes before its first frame; send frames."
            ).about(cluster.facts.timecode, nil)
        }
    }

    private func checkDuration(
        _ sample: BlockSample,
        _ facts: ClusterFacts
    ) throws(PutMediaStop) {
        let at = media?.timeBase.milliseconds(sample.timecode) ?? .max
        guard at.saturatingSubtracting(facts.startMs) <= limits.fragmentMsMax else {
            throw PutMediaStop(
                .maxFragmentDurationReached,
                "A frame lies more than \(limits.fragmentMsMax) ms behind its Cluster's timecode; send key frames more often."
            ).about(facts.timecode, cluster?.number)
        }
    }

    /// Appends a child, beginning the fragment with its first frame.
    private mutating func append(
        _ bytes: ByteBuffer,
        _ entries: [SampleEntry]
    ) async throws(PutMediaStop) {
        guard let cluster, let media else { return }
        do throws(LogError) {
            let fragment: OpenFragment
            if let begun = cluster.fragment {
                fragment = begun
            } else {
                fragment = try await begin(cluster, media)
            }
            try fragment.append(bytes, nil, samples: entries)
        } catch {
            throw PutMediaStop(error).about(cluster.facts.timecode, self.cluster?.number)
        }
    }

    private mutating func begin(
        _ cluster: ArrivingCluster,
        _ media: MediaFacts
    ) async throws(LogError) -> OpenFragment {
        var flags = cluster.flags.intersection(.openGOP)
        // Known here already, unless sound comes first.
        if cluster.facts.startsWithSync == false { flags.insert(.dependent) }
        if let endMs, cluster.facts.startMs.saturatingSubtracting(endMs) > limits.times.forwardMs {
            flags.insert(.discontinuity)
            if let end {
                session.report(
                    Gap(start: end, end: cluster.producer, clock: .producer, reason: .timestampJump)
                )
            }
        }
        let fragment = try await session.beginFragment(
            FragmentOpening(
                header: media.header,
                tracks: media.sampleTracks,
                producer: cluster.producer,
                server: cluster.server,
                clockSource: media.clockSource,
                mediaTimeMilliseconds: cluster.facts.startMs,
                flags: flags,
                tagsBefore: cluster.tagsBefore.bytes
            )
        )
        self.cluster?.fragment = fragment
        self.cluster?.children = []
        end = cluster.producer
        endMs = cluster.facts.startMs
        ledger.buffering(cluster.facts.timecode, fragment.number)
        for child in cluster.children { try fragment.append(child, nil, samples: []) }
        return fragment
    }

    /// Ends the Cluster's fragment, if there is one.
    ///
    /// - Parameters:
    ///   - nextStartMs: Where the next Cluster begins, when that ended this one.
    ///   - isBroken: The rest of it will not come.
    /// - Throws: When the log has ended the fragment already.
    mutating func closeCluster(
        nextStartMs: Int64?,
        isBroken: Bool = false
    ) throws(PutMediaStop) {
        guard let cluster else { return }
        self.cluster = nil
        guard let fragment = cluster.fragment, let media else {
            // A Cluster without frames is no fragment; what was said of it goes to the next.
            tagsBefore.prepend(cluster.tagsBefore)
            return
        }
        var flags = cluster.flags
        // Sound alone in a session with pictures cannot start anything either.
        if cluster.facts.startsWithSync != true { flags.insert(.dependent) }
        if isBroken { flags.insert(.incomplete) }
        let duration = cluster.facts.durationMs(
            nextStartMs: nextStartMs,
            timeBase: media.timeBase,
            defaultDuration: media.governing?.defaultDuration ?? 0
        )
        end = cluster.producer.advanced(byMilliseconds: Int64(duration))
        endMs = cluster.facts.startMs.saturatingAdding(Int64(duration))
        let ledger = ledger
        let number = fragment.number
        if !isBroken {
            do throws(LogError) {
                // Nothing is appended; it tells whether the log has ended the fragment meanwhile.
                try fragment.append(ByteBuffer(), nil, samples: [])
            } catch {
                throw PutMediaStop(error).about(cluster.facts.timecode, number)
            }
            ledger.received(cluster.facts.timecode, number)
        }
        fragment.finish(
            FragmentClosing(
                durationMilliseconds: duration,
                flags: flags,
                tagsAfter: cluster.tagsAfter.bytes
            )
        ) { ledger.settled(number, $0) }
    }

    /// A Tags element has arrived between Clusters (KVS 2.5).
    mutating func tagsArrive(_ raw: ByteBuffer, _ items: [TagItem]) throws(PutMediaStop) {
        let endsFragment = items.contains { $0.name == TagItem.endOfFragmentName }
        let isWithinLimits: Bool
        if var cluster, cluster.fragment != nil {
            isWithinLimits =
                cluster.tagsAfter.add(raw: raw, items: items, limits: limits)
                && cluster.tagsBefore.count + cluster.tagsAfter.count <= limits.tagCountMax
            self.cluster = cluster
        } else if endsFragment, items.count == 1 {
            // The end of a fragment that is closed already, or of none.
            return
        } else {
            isWithinLimits =
                tagsBefore.add(raw: raw, items: items, limits: limits)
                && tagsBefore.count <= limits.tagCountMax
        }
        guard isWithinLimits else {
            throw PutMediaStop(
                .fragmentMetadataLimitReached,
                "A fragment has more than \(limits.tagCountMax) tags, or one with a name over \(limits.tagNameBytesMax) or a value over \(limits.tagValueBytesMax) bytes."
            ).about(cluster?.facts.timecode, cluster?.number)
        }
        if endsFragment { try closeCluster(nextStartMs: nil) }
    }
}
