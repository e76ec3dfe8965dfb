"""Footage for the crash tests of the server: in the pieces that become fragments, each with a digest
of the blocks that must come back.
"""

import hashlib
import subprocess

EBML, SEGMENT, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
SIMPLE_BLOCK, BLOCK_GROUP = 0xA3, 0xA0
PACKET, VIDEO = 188, 0x100  # ffmpeg gives the first stream of a transport stream this identifier
END_OF_FRAGMENT = (bytes.fromhex("1254C367AC7373A967C8A645A3A0")
                   + b"AWS_KINESISVIDEO_END_OF_FRAGMENT" + bytes.fromhex("448780"))
# EBML head, Segment of unknown size, Info with a scale of 1 ms, one track of raw pictures.
SYNTHETIC_HEAD = (
    bytes.fromhex("1A45DFA3A342868101" "42F78101" "42F28104" "42F38108" "428288") + b"matroska"
    + bytes.fromhex("42878102" "42858102" "1853806701FFFFFFFFFFFFFF"
                    "1549A9668B2AD7B1830F42404D80816B" "1654AE6BA6AEA4D7810173C58101838101868E")
    + b"V_UNCOMPRESSED" + bytes.fromhex("E088B0820280BA820168"))


class Footage:
    """What a producer sends: `head`, then `pieces`, each of which completes the fragment before it."""

    def __init__(self, head, pieces, digests):
        self.head, self.pieces, self.digests = head, pieces, digests
        self.times = []  # when each fragment begins, in ms from the start; empty where unknown


def run(words):
    result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if result.returncode:
        raise RuntimeError(f"{' '.join(words)}: {result.stderr.decode(errors='replace')}")
    return result.stdout


def transport_stream(media):
    """A file as MPEG-TS, cut where its key frames begin; digests come from a server later."""
    data = run(["ffmpeg", "-v", "error", "-i", media, "-c", "copy", "-f", "mpegts", "-"])
    cuts = []
    for at in range(0, len(data), PACKET):
        packet = data[at : at + PACKET]
        identifier = (packet[1] & 0x1F) << 8 | packet[2]
        starts = packet[1] & 0x40 and packet[3] & 0x20 and packet[4] and packet[5] & 0x40
        if identifier == VIDEO and starts:
            cuts.append(at)
    cuts = [0] + cuts[1:] + [len(data)]
    return Footage(b"", [data[a:b] for a, b in zip(cuts, cuts[1:])], [])


def clusters(media):
    """A file as Matroska with a Cluster for each group of pictures, as producers of KVS send it."""
    data = run(["ffmpeg", "-v", "error", "-i", media, "-c", "copy", "-f", "matroska",
                "-cluster_time_limit", "30000", "-cluster_size_limit", "60000000", "-"])
    found = [(start, end) for kind, start, _, end in walk(data) if kind == CLUSTER]
    pieces = [data[start:end] for start, end in found]
    return Footage(data[: found[0][0]], pieces, [digest(piece) for piece in pieces])


def synthetic(rng, count, start_ms):
    """Small Clusters of random bytes, a second each, from a time of the wall clock on."""
    pieces, digests = [], []
    for index in range(count):
        body = bytearray(b"\xe7\x88" + (start_ms + index * 1000).to_bytes(8, "big"))
        for frame in range(rng.randint(1, 5)):
            payload = rng.randbytes(rng.randint(100, 6000))
            body += (b"\xa3\x10" + (len(payload) + 4).to_bytes(3, "big") + b"\x81"
                     + (frame * 100).to_bytes(2, "big") + (b"\x00" if frame else b"\x80") + payload)
        cluster = bytes.fromhex("1F43B67501FFFFFFFFFFFFFF") + bytes(body)
        pieces.append(cluster + END_OF_FRAGMENT)
        digests.append(digest(cluster))
    return Footage(SYNTHETIC_HEAD, pieces, digests)


def walk(data, start=0, end=None):
    """(id, first byte, first byte of the body, end) of each element; goes into Segments."""
    end = len(data) if end is None else end
    while start < end:
        width = 9 - data[start].bit_length()
        kind = int.from_bytes(data[start : start + width], "big")
        at = start + width
        width = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + width], "big") & (1 << 7 * width) - 1
        body = at + width
        unknown = size == (1 << 7 * width) - 1
        stop = end if unknown else body + size
        if stop > end:
            raise ValueError(f"element {kind:x} at {start} ends at {stop}, behind {end}")
        if kind == SEGMENT:
            yield from walk(data, body, stop)
        else:
            yield kind, start, body, stop
        start = stop


def digest(document):
    """A digest of the blocks of all Clusters, byte for byte as they were sent."""
    found = hashlib.blake2b(digest_size=16)
    count = 0
    for kind, _, body, end in walk(document):
        if kind != CLUSTER:
            continue
        for child, start, _, stop in walk(document, body, end):
            if child in (SIMPLE_BLOCK, BLOCK_GROUP):
                found.update(document[start:stop])
                count += 1
    return found.hexdigest() if count else None


def frames(path):
    """A digest of the decoded pictures of a file."""
    return run(["ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-f", "streamhash", "-hash",
                "md5", "-"]).decode().strip()

