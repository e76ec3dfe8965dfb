import Catalog
import Glibc
import MediaModel
import NIOCore

/// Brings one stream back from its files: document, log segments, events, rows.
///
/// The document is written first, with its expiry paused and its numbers far above all that are
/// known, so that nothing can be lost by a repair that is broken off. Blocks.
struct StreamRepair {
    /// How far above the greatest number seen the next one lies.
    static let numberDistance: UInt64 = 1_000_000

    let id: StreamID
    let directory: String
    let rows: CatalogRows
    /// The name by which a catalog knows the stream.
    let knownName: StreamName?
    let now: Timestamp

    private var place: String { "streams/\(id)" }

    func run(_ report: inout RepairReport) throws(LogError) {
        let names = try Directory.names(in: directory)
        if names.allSatisfy({ $0 == StreamFiles.document + ".new" }) { return }
        let documents = DocumentRepair(
            id: id,
            directory: directory,
            knownName: knownName,
            now: now
        )
        var (document, isRestored) = try documents.read(&report)
        if document.isDeleted { return }
        try checkName(&document, &report)
        let kinds = try rows.allSegments(of: id).mapValues { UInt8($0.kind.rawValue) }
        var segments: [SegmentRow] = []
        var greatest = SeenNumbers()
        for number in Set(names.compactMap { SegmentName($0)?.first }).sorted() {
            let repair = SegmentRepair(
                segment: SegmentID(stream: id, first: number),
                directory: directory,
                document: document,
                knownKind: kinds[number]
            )
            guard let result = try repair.run(&report) else { continue }
            greatest.see(result.last)
            segments.append(result.row)
        }
        let events = try EventsRepair(directory: directory, place: place).run(&report)
        greatest.see(events.greatest)
        try write(&document, greatest, isRestored: isRestored, documents, &report)
        try enter(document, segments, events, &report)
    }

    /// Two streams cannot have one name.
    private func checkName(
        _ document: inout StreamDocument,
        _ report: inout RepairReport
    ) throws(LogError) {
        let name = document.info.name
        let isTaken = try rows.streams().contains { $0.name == name && $0.id != id }
        guard isTaken, let free = DocumentRepair.recoveredName(id) else { return }
        document.info.settings.name = free
        report.losses.append(
            "Stream \(id) was named '\(name)' as another one is; it is '\(free)' now."
        )
    }

    private func write(
        _ document: inout StreamDocument,
        _ greatest: SeenNumbers,
        isRestored: Bool,
        _ documents: DocumentRepair,
        _ report: inout RepairReport
    ) throws(LogError) {
        if let sequence = greatest.sequence {
            let (next, overflow) = sequence.addingReportingOverflow(Self.numberDistance)
            document.sequenceHighWater = max(document.sequenceHighWater, overflow ? .max : next)
        }
        if let ordinal = greatest.ordinal {
            document.ordinalFloor = max(document.ordinalFloor, ordinal + 1)
        }
        if document.info.retentionPaused?.hasPrefix("repair:") != true {
            document.info.retentionPaused =
                "repair: the stream was built again from its files at \(now); look at it and resume expiry"
        }
        try documents.write(document)
        report.did(
            "\(place)/\(StreamFiles.document)",
            (isRestored ? "made anew as stream '\(document.info.name)'" : "kept")
                + ", expiry paused, numbers go on at \(document.sequenceHighWater)"
        )
    }

    private func enter(
        _ document: StreamDocument,
        _ segments: [SegmentRow],
        _ events: EventsRepair.Result,
        _ report: inout RepairReport
    ) throws(LogError) {
        let epoch = document.ownerEpoch
        try rows.removeStream(id)
        try rows.register(id, name: document.info.name, epoch: epoch)
        for row in segments { try rows.insert(row, epoch: epoch) }
        try EventsRepair(directory: directory, place: place).enter(
            events,
            of: id,
            into: rows,
            epoch: epoch
        )
        let fragments = segments.reduce(0) { $0 + ($1.extent?.fragmentCount ?? 0) }
        report.did(
            "catalog.sqlite",
            "stream '\(document.info.name)' entered with \(segments.count) log segments, "
                + "\(fragments) fragments, \(events.count) events"
        )
    }
}

/// The greatest number and ordinal that a repair has come across.
struct SeenNumbers {
    private(set) var sequence: UInt64?
    private(set) var ordinal: UInt64?

    mutating func see(_ record: FragmentRecord) {
        see(record.number)
        ordinal = max(ordinal ?? 0, record.ordinal)
    }

    mutating func see(_ number: FragmentNumber?) {
        guard let number else { return }
        sequence = max(sequence ?? 0, number.sequence)
    }
}
