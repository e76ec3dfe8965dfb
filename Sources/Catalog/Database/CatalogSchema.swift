/// The schema of `catalog.sqlite`.
///
/// Everything in it is derived from the files beside it and can be built again from them. Times are
/// milliseconds since 1970 (`_ms`), sizes are bytes (`_bytes`). 64-bit values that are only compared
/// for equality are stored as their two's complement; everything that is ordered fits 63 bits.
enum CatalogSchema {
    /// A log segment whose extent is longer than this, or not known, is looked up apart.
    ///
    /// Lookups by time read the index from this long before the range. By the rules of the log no
    /// segment is longer than 20 minutes; one that is nevertheless is still found, only not as fast.
    static let wideSegmentMilliseconds: Int64 = 3_600_000

    /// The longest gap of each `span_class` but the last, which has no limit.
    static let gapSpanLimitsMilliseconds: [Int64] = [3_600_000, 86_400_000, 2_592_000_000]

    /// The schema's steps; released ones are never edited.
    static let steps = [
        SchemaStep(name: "1-log", sql: streamTable + segmentTable + segmentTotals + eventTables)
    ]

    private static let streamTable = """
        CREATE TABLE stream (
            id INTEGER NOT NULL PRIMARY KEY,    -- the 64 bits of the stream's identity
            name TEXT NOT NULL UNIQUE           -- 1 to 256 of [a-zA-Z0-9_.-]
                CHECK (length(name) BETWEEN 1 AND 256),
            owner_epoch INTEGER NOT NULL        -- every write has to name it
                CHECK (owner_epoch >= 1),
            events_offset_bytes INTEGER NOT NULL DEFAULT 0 -- how much of events.log is in here
                CHECK (events_offset_bytes >= 0),
            session_id_max INTEGER              -- greatest session id ever; survives expiry
                CHECK (session_id_max >= 0),
            segment_count INTEGER NOT NULL DEFAULT 0 -- log segments not being deleted (triggers)
                CHECK (segment_count >= 0),
            fragment_count INTEGER NOT NULL DEFAULT 0 -- fragments in them where known (triggers)
                CHECK (fragment_count >= 0),
            segment_bytes INTEGER NOT NULL DEFAULT 0 -- their bytes where known (triggers)
                CHECK (segment_bytes >= 0)
        ) STRICT;
        """

    private static let segmentTable = """
        CREATE TABLE log_segment (
            stream_id INTEGER NOT NULL REFERENCES stream (id),
            first_sequence INTEGER NOT NULL     -- number of its first fragment: sequence,
                CHECK (first_sequence >= 0),
            first_server_ms INTEGER NOT NULL    --   server milliseconds
                CHECK (first_server_ms >= 0),
            first_random INTEGER NOT NULL       --   and 28 random bits
                CHECK (first_random BETWEEN 0 AND 268435455),
            first_ordinal INTEGER NOT NULL      -- position among all fragments of the stream
                CHECK (first_ordinal >= 0),
            kind INTEGER NOT NULL               -- 0 own, 1 PutMedia, 2 PutMedia RELATIVE
                CHECK (kind BETWEEN 0 AND 2),
            state INTEGER NOT NULL              -- 0 open, 1 sealed, 2 suspect, 3 deleting
                CHECK (state BETWEEN 0 AND 3),
            header_bytes INTEGER NOT NULL       -- length of the Matroska header in the .mkv
                CHECK (header_bytes >= 0),
            producer_start_ms INTEGER NOT NULL, -- least producer timestamp: the first fragment's
            server_start_ms INTEGER NOT NULL,   -- server timestamp of the first fragment
            -- The extent, null while the segment is open:
            fragment_count INTEGER              -- fragments in it
                CHECK (fragment_count >= 1),
            last_sequence INTEGER               -- number of its last fragment, as above
                CHECK (last_sequence >= first_sequence),
            last_server_ms INTEGER
                CHECK (last_server_ms >= 0),
            last_random INTEGER
                CHECK (last_random BETWEEN 0 AND 268435455),
            producer_end_ms INTEGER             -- greatest producer end of a fragment
                CHECK (producer_end_ms >= producer_start_ms),
            server_end_ms INTEGER               -- server timestamp plus duration of the last one
                CHECK (server_end_ms >= server_start_ms),
            byte_count INTEGER                  -- length of the .mkv, header included
                CHECK (byte_count >= header_bytes),
            durable_bytes INTEGER               -- suspect: bytes of the .mkv known to be on disk
                CHECK (durable_bytes >= 0),
            is_wide INTEGER NOT NULL            -- 1: extent unknown or longer than 1 h
                CHECK (is_wide = CASE
                    WHEN producer_end_ms - producer_start_ms <= \(wideSegmentMilliseconds)
                        AND server_end_ms - server_start_ms <= \(wideSegmentMilliseconds)
                    THEN 0 ELSE 1 END),
            PRIMARY KEY (stream_id, first_sequence),
            CHECK ((fragment_count IS NULL) = (last_sequence IS NULL)),
            CHECK ((fragment_count IS NULL) = (last_server_ms IS NULL)),
            CHECK ((fragment_count IS NULL) = (last_random IS NULL)),
            CHECK ((fragment_count IS NULL) = (producer_end_ms IS NULL)),
            CHECK ((fragment_count IS NULL) = (server_end_ms IS NULL)),
            CHECK ((fragment_count IS NULL) = (byte_count IS NULL)),
            CHECK (state <> 0 OR fragment_count IS NULL),
            CHECK (state <> 1 OR fragment_count IS NOT NULL),
            CHECK (state <> 2 OR durable_bytes IS NOT NULL)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX log_segment_by_producer ON log_segment
            (stream_id, is_wide, producer_start_ms, first_sequence, producer_end_ms);
        CREATE INDEX log_segment_by_server ON log_segment
            (stream_id, is_wide, server_start_ms, server_end_ms);
        CREATE INDEX log_segment_by_ordinal ON log_segment
            (stream_id, first_ordinal, first_sequence);
        CREATE INDEX log_segment_by_expiry ON log_segment
            (stream_id, server_end_ms) WHERE state <> 3;
        CREATE INDEX log_segment_unsettled ON log_segment
            (state, stream_id, first_sequence) WHERE state <> 1;
        """

    private static let segmentTotals = """
        CREATE TRIGGER log_segment_inserted AFTER INSERT ON log_segment WHEN NEW.state <> 3 BEGIN
            UPDATE stream SET
                segment_count = segment_count + 1,
                fragment_count = fragment_count + ifnull(NEW.fragment_count, 0),
                segment_bytes = segment_bytes + ifnull(NEW.byte_count, 0)
            WHERE id = NEW.stream_id;
        END;
        CREATE TRIGGER log_segment_deleted AFTER DELETE ON log_segment WHEN OLD.state <> 3 BEGIN
            UPDATE stream SET
                segment_count = segment_count - 1,
                fragment_count = fragment_count - ifnull(OLD.fragment_count, 0),
                segment_bytes = segment_bytes - ifnull(OLD.byte_count, 0)
            WHERE id = OLD.stream_id;
        END;
        CREATE TRIGGER log_segment_updated
        AFTER UPDATE OF state, fragment_count, byte_count ON log_segment BEGIN
            UPDATE stream SET
                segment_count = segment_count + (NEW.state <> 3) - (OLD.state <> 3),
                fragment_count = fragment_count
                    + ifnull(NEW.fragment_count, 0) * (NEW.state <> 3)
                    - ifnull(OLD.fragment_count, 0) * (OLD.state <> 3),
                segment_bytes = segment_bytes
                    + ifnull(NEW.byte_count, 0) * (NEW.state <> 3)
                    - ifnull(OLD.byte_count, 0) * (OLD.state <> 3)
            WHERE id = NEW.stream_id;
        END;
        """

    private static let eventTables = """
        CREATE TABLE session (
            stream_id INTEGER NOT NULL REFERENCES stream (id),
            session_id INTEGER NOT NULL         -- counts up per stream
                CHECK (session_id >= 0),
            protocol TEXT NOT NULL,             -- as in events.log
            peer TEXT NOT NULL,                 -- the producer's address, as in events.log
            clock_source INTEGER NOT NULL       -- 0 absolute, 1 rtcp, 2 start, 3 arrival
                CHECK (clock_source BETWEEN 0 AND 3),
            opened_ms INTEGER NOT NULL,         -- server time of its first byte
            ended_ms INTEGER,                   -- server time of its end; null: still open
            PRIMARY KEY (stream_id, session_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX session_open ON session
            (ended_ms, stream_id, session_id) WHERE ended_ms IS NULL;
        CREATE INDEX session_by_end ON session (stream_id, ended_ms);

        CREATE TABLE gap (
            id INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order of recording
            stream_id INTEGER NOT NULL REFERENCES stream (id),
            clock INTEGER NOT NULL              -- what start and end are on: 0 producer, 1 server
                CHECK (clock BETWEEN 0 AND 1),
            start_ms INTEGER NOT NULL,
            end_ms INTEGER NOT NULL             -- equal to start where the length is not known
                CHECK (end_ms >= start_ms),
            reason TEXT NOT NULL,               -- as in events.log
            session_id INTEGER NOT NULL         -- 0: none
                CHECK (session_id >= 0),
            after_sequence INTEGER              -- newest fragment before the gap; null: none
                CHECK (after_sequence >= 0),
            after_server_ms INTEGER
                CHECK (after_server_ms >= 0),
            after_random INTEGER
                CHECK (after_random BETWEEN 0 AND 268435455),
            sample_count INTEGER NOT NULL       -- samples that arrived and were not kept
                CHECK (sample_count >= 0),
            lost_bytes INTEGER NOT NULL         -- their bytes
                CHECK (lost_bytes >= 0),
            expiry_ms INTEGER NOT NULL,         -- once retention passes this, the gap goes
            span_class INTEGER NOT NULL         -- 0: to 1 h, 1: to 24 h, 2: to 30 days, 3: longer
                CHECK (span_class = CASE
                    WHEN end_ms - start_ms <= \(gapSpanLimitsMilliseconds[0]) THEN 0
                    WHEN end_ms - start_ms <= \(gapSpanLimitsMilliseconds[1]) THEN 1
                    WHEN end_ms - start_ms <= \(gapSpanLimitsMilliseconds[2]) THEN 2
                    ELSE 3 END),
            CHECK ((after_sequence IS NULL) = (after_server_ms IS NULL)),
            CHECK ((after_sequence IS NULL) = (after_random IS NULL))
        ) STRICT;
        CREATE INDEX gap_by_time ON gap (stream_id, clock, span_class, start_ms, id, end_ms);
        CREATE INDEX gap_by_expiry ON gap (stream_id, expiry_ms);
        """
}
