"""What a directory may look like after the power fails at one point of a trace."""

import bisect
import os
import random
import shutil
import stat

from crashtrace import GROW, PUT, SIZE, ZERO, TraceError

BLOCK, SECTOR = 4096, 512
MODES = ("random", "all-lost", "none-lost")
DIRS = ("ordered", "any")


class Cut:
    """One power cut. `crash` records happened; `marks` is what had been told to the world."""

    def __init__(self, trace, seed=0, mode="random", dirs="ordered", torn=False, at=None, start=0):
        if mode not in MODES or dirs not in DIRS:
            raise ValueError(f"mode is one of {MODES}, dirs one of {DIRS}")
        self.trace, self.seed, self.mode, self.dirs, self.torn = trace, seed, mode, dirs, torn
        self.rng = random.Random(f"crashkit {seed}")
        self.crash = self._crash_point(start) if at is None else at
        if not 0 <= self.crash <= trace.count:
            raise ValueError(f"crash point {self.crash} of {trace.count} records")
        # How much survives differs from run to run: nearly nothing, nearly everything, or a mix.
        self.keep = self.rng.choice((0.0, 0.1, 0.5, 0.5, 0.9, 0.97))
        self.lost = {"blocks": 0, "sizes": 0, "names": 0}
        self.pending = {"writes": 0, "names": 0}
        self.marks = [m for m in trace.marks if m[0] < self.crash]

    def _crash_point(self, start):
        # Half of the cuts fall where something has just been promised or made durable.
        likely = self.rng.random() < 0.5
        for points in (self.trace.boundaries, self.trace.points) if likely else (self.trace.points,):
            first = bisect.bisect_left(points, start)
            if first < len(points):
                return points[self.rng.randrange(first, len(points))]
        return self.trace.count

    # Names

    def _surviving_changes(self):
        changes = self.trace.changes
        done = changes[: bisect.bisect_left(changes, self.crash, key=lambda c: c.index)]
        keep = [c.durable_at < self.crash for c in done]
        pending = [i for i, durable in enumerate(keep) if not durable]
        self.pending["names"] = len(pending)
        if self.mode == "none-lost":
            survivors = pending
        elif self.mode == "all-lost":
            survivors = []
        elif self.dirs == "ordered":
            # A journal: what survives is a beginning of what was not yet synced.
            survivors = pending[: self._version(0, len(pending))]
        else:
            survivors = [i for i in pending if self.rng.random() < self.keep]
        for i in survivors:
            keep[i] = True
        # A change of a name implies the earlier ones of that name, so that a rename stays atomic
        # and no file comes back under a second name.
        position = {id(c): i for i, c in enumerate(done)}
        for i in range(len(done) - 1, -1, -1):
            if keep[i]:
                for need in done[i].needs:
                    keep[position[id(need)]] = True
        self.lost["names"] = keep.count(False)
        return [c for c, kept in zip(done, keep) if kept]

    def tree(self):
        """Names of every directory that has any: {id(directory): {name: node}}."""
        names = {}

        def entries(directory):
            known = names.get(id(directory))
            if known is None:
                known = names[id(directory)] = dict(directory.initial_entries)
            return known

        for change in self._surviving_changes():
            for directory, name, node in change.slots:
                if node is None:
                    entries(directory).pop(name, None)
                else:
                    entries(directory)[name] = node
        self._entries = entries
        return entries

    # Contents

    def _version(self, least, most):
        """Which of the states least...most survives; ends are likelier than the middle."""
        if self.mode == "none-lost" or least == most:
            return most
        if self.mode == "all-lost" or self.keep == 0:
            return least
        if self.rng.random() < self.keep:
            return most
        return least if self.rng.random() < 0.6 else self.rng.randint(least, most)

    def _base(self, node):
        if node.initial is None or not node.initial_size:
            return bytearray()
        if self.trace.initial is None:
            raise TraceError(f"{node.initial} was there before the trace: name the initial state")
        with open(os.path.join(self.trace.initial, node.initial), "rb") as file:
            data = bytearray(file.read())
        if len(data) != node.initial_size:
            raise TraceError(f"{node.initial} has {len(data)} bytes in the initial state, "
                             f"{node.initial_size} in the trace")
        return data

    def content(self, node):
        """Bytes and size of a file; what lies beyond the bytes up to the size is zeros."""
        count = bisect.bisect_left(node.indexes, self.crash)
        crash, durable = self.crash, node.durable
        certain = 0
        while certain < count and durable[certain] < crash:
            certain += 1
        data = self._base(node)
        if self.mode == "none-lost":
            return self._apply(data, len(data), node.ops[:count])
        data, size = self._apply(data, len(data), node.ops[:certain])
        rest = node.ops[certain:count]
        self.pending["writes"] += len(rest)
        if not rest:
            return data, size
        forced = [durable[i] < crash for i in range(certain, count)]
        return self._survive(data, size, rest, forced)

    def _apply(self, data, size, ops):
        source = memoryview(self.trace.data)
        for kind, a, length, position in ops:
            if kind == PUT:
                if len(data) < a:
                    data.extend(bytes(a - len(data)))
                data[a : a + length] = source[position : position + length]
                if size < a + length:
                    size = a + length
            elif kind == SIZE:
                del data[a:]
                size = a
            elif kind == GROW:
                size = max(size, a)
            else:
                end = min(a + length, len(data))
                if end > a:
                    data[a:end] = bytes(end - a)
        return data, size

    def _survive(self, data, size, ops, forced):
        sizes = [size]  # before any of the operations, and after each
        shrinks = []
        for i, (kind, a, length, _) in enumerate(ops):
            before = sizes[-1]
            if kind == SIZE and a < before:
                shrinks.append(i)
            sizes.append(a if kind == SIZE else max(before, a) if kind == GROW
                         else max(before, a + length) if kind == PUT else before)
        if self.dirs == "ordered" and shrinks:
            # A journal again: new data reaches the disk only after the truncation before it.
            least = sum(1 for i in shrinks if any(forced[i:]))
            kept = self._version(least, len(shrinks))
            if kept < len(shrinks):
                ops = ops[: shrinks[kept]]
                self.lost["sizes"] += 1
            if kept:
                forced[shrinks[kept - 1]] = True
        floor = max((i + 1 for i, f in enumerate(forced) if f), default=0)
        version = self._version(min(floor, len(ops)), len(ops))
        if version < len(ops) and sizes[version] != sizes[len(ops)]:
            self.lost["sizes"] += 1
        final = sizes[version]

        blocks = self._blocks(len(data), ops)
        source = memoryview(self.trace.data)
        for block, pieces in blocks.items():
            least = 0
            for n, piece in enumerate(pieces):
                if forced[piece[0]]:
                    least = n + 1
            start = block * BLOCK
            if self.torn and self.mode == "random" and self.rng.random() < 0.2:
                for edge in range(start, start + BLOCK, SECTOR):
                    self._put(data, source, pieces[: self._version(least, len(pieces))], edge,
                              edge + SECTOR)
                continue
            kept = self._version(least, len(pieces))
            if kept < len(pieces):
                self.lost["blocks"] += 1
            self._put(data, source, pieces[:kept], start, start + BLOCK)
        del data[final:]
        return data, final

    @staticmethod
    def _blocks(length, ops):
        """{block: [(operation, start, end, position in the trace or None for zeros)]}, in order."""
        blocks = {}
        reach = length
        for i, (kind, a, size, position) in enumerate(ops):
            if kind == PUT:
                end = a + size
                reach = max(reach, end)
            elif kind == ZERO:
                end = min(a + size, reach)
                position = None
            elif kind == SIZE:
                end, position = reach, None
                reach = min(reach, a)
            else:
                continue
            if end <= a:
                continue
            for block in range(a // BLOCK, (end - 1) // BLOCK + 1):
                start = max(a, block * BLOCK)
                piece = (i, start, min(end, (block + 1) * BLOCK),
                         None if position is None else position + start - a)
                blocks.setdefault(block, []).append(piece)
        return blocks

    @staticmethod
    def _put(data, source, pieces, low, high):
        for _, start, end, position in pieces:
            begin = max(start, low)
            end = min(end, high)
            if end <= begin:
                continue
            if position is None:
                end = min(end, len(data))
                if end > begin:
                    data[begin:end] = bytes(end - begin)
                continue
            if len(data) < begin:
                data.extend(bytes(begin - len(data)))
            position += begin - start
            data[begin:end] = source[position : position + end - begin]

    # Out

    def write(self, directory):
        """Builds the directory; what stood there is removed first."""
        directory = os.fspath(directory)
        if os.path.lexists(directory):
            shutil.rmtree(directory)
        os.makedirs(directory, 0o700)
        entries = self.tree()
        self._written = {}
        self._write_directory(self.trace.root_node, directory, entries, set())
        return self.report()

    def _write_directory(self, node, path, entries, above):
        if id(node) in above:
            return
        for name, child in sorted(entries(node).items()):
            target = os.path.join(path, name)
            if child.kind == "directory":
                os.mkdir(target, child.mode | 0o700)
                self._write_directory(child, target, entries, above | {id(node)})
            elif child.kind == "link":
                os.symlink(child.target, target)
            else:
                self._write_file(child, target)

    def _write_file(self, node, path):
        first = self._written.get(id(node))
        if first is not None:
            os.link(first, path)
            return
        self._written[id(node)] = path
        data, size = self.content(node)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, node.mode | stat.S_IRUSR)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            if size > len(data):
                os.ftruncate(fd, size)
        finally:
            os.close(fd)

    def acknowledged(self):
        """Every byte written to the marks file before the crash."""
        return b"".join(data for _, socket, data in self.marks if socket is None)

    def sockets(self):
        """Bytes sent before the crash, by socket inode."""
        sent = {}
        for _, socket, data in self.marks:
            if socket is not None:
                sent[socket] = sent.get(socket, b"") + data
        return sent

    def report(self):
        def text(data):
            return data.decode(errors="backslashreplace")

        return {
            "seed": self.seed, "crash": self.crash, "records": self.trace.count,
            "mode": self.mode, "dirs": self.dirs,
            "marks": [text(data) for _, socket, data in self.marks if socket is None],
            "sockets": {str(inode): text(data) for inode, data in self.sockets().items()},
            "pending": dict(self.pending), "lost": dict(self.lost),
        }
