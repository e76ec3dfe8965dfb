"""Reads a crashkit trace and works out, once, when each operation became durable.

Nothing here depends on a crash point: an operation with index i is in the past of a crash at k when
i < k, and certain to survive it when its `durable_at` < k. `crashcut.py` does the rest.
"""

import os
import struct

PAGE = 4096
RECORD = struct.Struct("<BBHIIiQQQQIIQQ")
NEVER = 1 << 62

CALLS = (
    "open create write pwrite writev pwritev copy_file_range sendfile splice ftruncate truncate "
    "fallocate rename link symlink unlink mkdir rmdir fsync fdatasync syncfs sync "
    "sync_file_range close read pread"
).split()
(START, EXISTS, CREATE, WRITE, TRUNCATE, ALLOCATE, RENAME, LINK, UNLINK, MKDIR, RMDIR, SYMLINK,
 SYNC_BEGIN, SYNC_END, MARK, FAULT, WARNING) = range(1, 18)
OPERATIONS = (
    "- start exists create write truncate allocate rename link unlink mkdir rmdir symlink "
    "sync-begin sync-end mark fault warning"
).split()
DURABLE_WRITE, EVERYTHING, SOCKET, DIRECTORY = 1, 2, 4, 8
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16
RENAME_EXCHANGE = 2

# What happens to a file: (kind, offset or size, length, position in the trace).
PUT, ZERO, SIZE, GROW = range(4)


class TraceError(Exception):
    """The trace cannot be read, so nothing it shows would be proof of anything."""


class Node:
    """An inode. Names are entries of directories; an unlinked file is a node without a name."""

    __slots__ = ("kind", "device", "mode", "initial", "initial_size", "target", "ops", "indexes",
                 "durable", "synced", "entries", "initial_entries", "last_change", "unsynced")

    def __init__(self, kind, device, mode):
        self.kind = kind  # "file", "directory" or "link"
        self.device = device
        self.mode = mode & 0o7777
        self.initial = None  # path in the initial directory
        self.initial_size = 0
        self.target = None
        # Files: operations, their record indexes, and the index of the sync that covers each.
        self.ops, self.indexes, self.durable = [], [], []
        self.synced = 0  # how many of `ops` some sync has dealt with, well or badly
        # Directories: current names, names at the beginning, last change of each name.
        self.entries, self.initial_entries, self.last_change = {}, {}, {}
        self.unsynced = []


class Change:
    """A directory operation: atomic, also when it changes two names in two directories."""

    __slots__ = ("index", "slots", "needs", "waiting", "durable_at")

    def __init__(self, index, slots):
        self.index = index
        self.slots = slots  # [(directory, name, node or None)]
        self.durable_at = NEVER
        self.waiting = {id(directory) for directory, _, _ in slots}
        self.needs = []  # earlier changes of the same names
        for directory, name, node in slots:
            before = directory.last_change.get(name)
            if before is not None:
                self.needs.append(before)
            replaced = directory.entries.get(name)
            if replaced is not None and replaced is not node and replaced.kind == "directory":
                self.needs += replaced.last_change.values()  # it had to be emptied first
            directory.last_change[name] = self
            directory.unsynced.append(self)
            if node is None:
                directory.entries.pop(name, None)
            else:
                directory.entries[name] = node


class Trace:
    """A parsed trace. `count` records; `marks` is [(index, socket inode or None, bytes)]."""

    def __init__(self, path, initial=None):
        self.path = os.fspath(path)
        self.initial = os.fspath(initial) if initial is not None else None
        with open(self.path, "rb") as file:
            self.data = file.read()
        self.records, self.marks, self.warnings, self.changes = [], [], [], []
        self.faults = []
        self.points = [0]  # every crash point that differs from the one before
        self.boundaries = []  # crash points right after something became promised or durable
        self.root_node = Node("directory", 0, 0o700)
        self._nodes = {}
        self._syncs = {}
        self._read_header()
        self._resolve()
        self.count = len(self.records)

    # Reading

    def _read_header(self):
        if len(self.data) < PAGE or self.data[:8] != b"CRASHKT1":
            raise TraceError(f"{self.path} is not a crashkit trace")
        version, broken, self.length = struct.unpack_from("<IIQ", self.data, 8)
        if version != 1:
            raise TraceError(f"{self.path} has version {version}, this reads 1")
        if broken:
            raise TraceError(f"{self.path} is incomplete: the recorder could not write it")
        if self.length > len(self.data):
            raise TraceError(f"{self.path} ends at {len(self.data)}, its header says {self.length}")
        self.root = self.data[32 : 32 + 2048].split(b"\0", 1)[0].decode(errors="surrogateescape")

    def _read(self):
        data, position, end, unpack = self.data, PAGE, self.length, RECORD.unpack_from
        while position < end:
            (operation, call, flags, process, thread, result, device, inode, a, b, size1, size2,
             size, _) = unpack(data, position)
            position += 72
            path1 = path2 = ""
            if size1:
                path1 = os.fsdecode(data[position : position + size1])
                position += size1
            if size2:
                path2 = os.fsdecode(data[position : position + size2])
                position += size2
            yield (operation, call, flags, process, thread, result, device, inode, a, b, path1,
                   path2, position, size)
            position += size

    # Resolving

    def _warn(self, text):
        self.warnings.append(text)

    def _directory(self, path, index):
        """The directory of `path` and the last component, in the tree as it is now."""
        node = self.root_node
        parts = path.split("/")
        for part in parts[:-1]:
            node = node.entries.get(part)
            if node is None or node.kind != "directory":
                self._warn(f"record {index}: the directory of {path} was never seen to be made")
                return None, None
        return node, parts[-1]

    def _file(self, device, inode, index, what):
        node = self._nodes.get((device, inode))
        if node is None:
            self._warn(f"record {index}: {what} of a file that was never seen to be made")
        return node

    def _change(self, index, slots):
        self.changes.append(Change(index, slots))

    def _add(self, node, index, op, durable_at=NEVER):
        node.ops.append(op)
        node.indexes.append(index)
        node.durable.append(durable_at)

    def _new(self, index, kind, record):
        operation, _, _, _, _, _, device, inode, _, mode, path, *_ = record
        if kind == "directory" and path == "":
            self._nodes[(device, inode)] = self.root_node  # the root itself, always there
            self.root_node.device = device
            return None
        node = Node(kind, device, mode)
        self._nodes[(device, inode)] = node
        if path:
            directory, name = self._directory(path, index)
            if directory is not None:
                self._change(index, [(directory, name, node)])
        return node

    def _exists(self, record):
        _, _, flags, _, _, _, device, inode, size, mode, path, *_ = record
        if path == "":
            self._nodes[(device, inode)] = self.root_node
            self.root_node.device = device
            return
        # Two names of one file are one node.
        node = self._nodes.get((device, inode))
        if node is None:
            node = Node("directory" if flags & DIRECTORY else "file", device, mode)
            node.initial, node.initial_size = path, size
            self._nodes[(device, inode)] = node
        directory, name = self._directory(path, -1)
        if directory is not None:
            directory.entries[name] = directory.initial_entries[name] = node

    def _remove(self, index, path, what, link=False):
        directory, name = self._directory(path, index)
        if directory is None:
            return
        if name not in directory.entries:
            if not (what == "unlink" and link):
                self._warn(f"record {index}: {what} of {path}, which was never seen to be made")
            return
        self._change(index, [(directory, name, None)])

    def _rename(self, index, old, new, flags):
        source, old_name = self._directory(old, index)
        target, new_name = self._directory(new, index)
        if source is None or target is None:
            return
        node = source.entries.get(old_name)
        if node is None:
            self._warn(f"record {index}: rename of {old}, which was never seen to be made")
            return
        other = target.entries.get(new_name)
        if other is node:
            return  # POSIX: two names of one file, nothing happens.
        left = other if flags & RENAME_EXCHANGE else None
        self._change(index, [(source, old_name, left), (target, new_name, node)])

    def _sync_begin(self, index, flags, device, inode, number):
        if flags & EVERYTHING:
            nodes = {id(n): n for n in self._nodes.values() if n.device == device}
            nodes[id(self.root_node)] = self.root_node
            files = [(n, len(n.ops)) for n in nodes.values() if n.synced < len(n.ops)]
            directories = [(n, index) for n in nodes.values() if n.unsynced]
            # Unlinked while open, and named again by linkat: still in `_nodes`, so covered.
            self._syncs[number] = (files, directories)
            return
        node = self._nodes.get((device, inode))
        if node is None:
            self._warn(f"record {index}: sync of a file that was never seen to be made")
        elif node.kind == "directory":
            self._syncs[number] = ([], [(node, index)])
        else:
            self._syncs[number] = ([(node, len(node.ops))], [])

    def _sync_end(self, index, number, error):
        files, directories = self._syncs.pop(number, ([], []))
        for node, count in files:
            if not error:
                durable = node.durable
                for i in range(node.synced, count):
                    if durable[i] > index:
                        durable[i] = index
            # After a failed sync the pages are clean and may be lost: no later sync covers what
            # this one should have, unless the block is written again.
            node.synced = max(node.synced, count)
        if error:
            return
        for directory, begun in directories:
            rest = []
            for change in directory.unsynced:
                if change.index > begun:
                    rest.append(change)
                    continue
                change.waiting.discard(id(directory))
                if not change.waiting:
                    change.durable_at = index
            directory.unsynced = rest
        self.boundaries += [index, index + 1]

    def _resolve(self):
        for index, record in enumerate(self._read()):
            (operation, call, flags, _, _, result, device, inode, a, b, path1, path2, position,
             size) = record
            self.records.append(record)
            if operation not in (START, EXISTS, FAULT, WARNING):
                self.points.append(index + 1)
            if operation == WRITE:
                node = self._file(device, inode, index, "write")
                if node is not None:
                    self._add(node, index, (PUT, a, size, position),
                              index if flags & DURABLE_WRITE else NEVER)
            elif operation == SYNC_BEGIN:
                self._sync_begin(index, flags, device, inode, a)
            elif operation == SYNC_END:
                self._sync_end(index, a, result)
            elif operation == MARK:
                self.marks.append((index, inode if flags & SOCKET else None,
                                   self.data[position : position + size]))
                self.boundaries.append(index + 1)
            elif operation == TRUNCATE:
                node = self._file(device, inode, index, "truncate")
                if node is not None:
                    self._add(node, index, (SIZE, a, 0, 0))
            elif operation == ALLOCATE:
                node = self._file(device, inode, index, "fallocate")
                if node is not None:
                    if flags & (PUNCH_HOLE | ZERO_RANGE):
                        self._add(node, index, (ZERO, a, b, 0))
                    if not flags & KEEP_SIZE:
                        self._add(node, index, (GROW, a + b, 0, 0))
            elif operation == CREATE:
                self._new(index, "file", record)
            elif operation == MKDIR:
                self._new(index, "directory", record)
            elif operation == SYMLINK:
                node = self._new(index, "link", record)
                node.target = os.fsdecode(self.data[position : position + size])
            elif operation == EXISTS:
                self._exists(record)
            elif operation == RENAME:
                self._rename(index, path1, path2, a)
            elif operation == UNLINK:
                # Sockets and pipes are not modelled; their names come and go unseen.
                if b & 0o170000 in (0o100000, 0o120000):
                    self._remove(index, path1, "unlink", b & 0o170000 == 0o120000)
            elif operation == RMDIR:
                self._remove(index, path1, "rmdir")
            elif operation == LINK:
                node = self._file(device, inode, index, "link")
                directory, name = self._directory(path1, index)
                if node is not None and directory is not None:
                    self._change(index, [(directory, name, node)])
            elif operation == FAULT:
                text = self.data[position : position + size].decode(errors="replace").strip()
                self.faults.append((index, CALLS[call], path1, text))
            elif operation == WARNING:
                self._warn(self.data[position : position + size].decode(errors="replace"))

    def describe(self, index):
        """One record as a line of text."""
        (operation, call, flags, process, thread, result, device, inode, a, b, path1, path2,
         position, size) = self.records[index]
        words = [str(index), f"{process}/{thread}", OPERATIONS[operation]]
        if operation in (WRITE, TRUNCATE, ALLOCATE, RENAME, LINK, UNLINK, MKDIR, RMDIR, SYMLINK,
                         CREATE, FAULT, SYNC_BEGIN, SYNC_END):
            words.append(CALLS[call])
        if inode:
            words.append(f"inode={inode}")
        words += [path for path in (path1, path2) if path]
        if operation == WRITE:
            words.append(f"[{a}, {a + size})")
        elif operation in (TRUNCATE, EXISTS):
            words.append(f"size={a}")
        elif operation == ALLOCATE:
            words.append(f"[{a}, {a + b}) mode={flags}")
        elif operation in (SYNC_BEGIN, SYNC_END):
            words.append(f"#{a}" + (f" errno={result}" if result else ""))
        elif operation in (MARK, WARNING, FAULT, SYMLINK):
            words.append(repr(self.data[position : position + min(size, 120)]))
        return " ".join(words)
