"""Producers over raw sockets that remember what they were told: pushes with a line per durable
fragment, and PutMedia with its acknowledgements.
"""

import datetime
import json
import re
import socket
import threading
import time

# How far a producer sends ahead of what is durable, in fragments.
AHEAD = 3
TIMEOUT = 60  # a server that says nothing for so long hangs

PERSISTED = re.compile(rb'\{"event":"persisted",[^\n]*?"fragmentNumber":"(\d{47})"[^\n]*\}\n'
                       rb'|\{"EventType":"PERSISTED",[^\n]*?"FragmentNumber":"(\d{47})"[^\n]*\}\n')
BEGUN = re.compile(rb'\{"EventType":"BUFFERING",[^\n]*?"FragmentNumber":"(\d{47})"[^\n]*\}\n')
OVER = b"0\r\n\r\n"


def persisted_in(data):
    """Numbers that the bytes of a connection promise, in order."""
    return [(a or b).decode() for a, b in PERSISTED.findall(data)]


def sequence(number):
    """The part of a fragment number that orders it, and that is never given out twice."""
    return int(number) - (1 << 156) >> 92


def begun_in(data):
    """Numbers that the bytes of a connection give out, promised or not."""
    return [number.decode() for number in BEGUN.findall(data)] + persisted_in(data)


class Answer:
    """One HTTP response as it comes in."""

    def __init__(self):
        self.status, self.body, self.is_over = None, b"", False
        self._rest, self._step = b"", self._head
        self._left = 0

    def feed(self, data):
        """Takes bytes; none is the end of the connection."""
        self._rest += data
        while not self.is_over and self._step():
            pass

    def _take_line(self, end):
        line, found, rest = self._rest.partition(end)
        if found:
            self._rest = rest
        return line if found else None

    def _head(self):
        head = self._take_line(b"\r\n\r\n")
        if head is None:
            return False
        status = int(head.split(b" ", 2)[1])
        if status == 100:
            return True
        self.status = status
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if fields.get(b"transfer-encoding") == b"chunked":
            self._step = self._size
        else:
            self._left, self._step = int(fields.get(b"content-length", 0)), self._all
        return True

    def _size(self):
        line = self._take_line(b"\r\n")
        if line is None:
            return False
        self._left = int(line, 16) + 2
        self._step = self._chunk
        return True

    def _chunk(self):
        if len(self._rest) < self._left:
            return False
        self.body += self._rest[: self._left - 2]
        self._rest = self._rest[self._left :]
        self.is_over = self._left == 2
        self._step = self._size
        return True

    def _all(self):
        if len(self._rest) < self._left:
            return False
        self.body += self._rest[: self._left]
        self.is_over = True
        return False

    def lines(self):
        """The complete lines of the body that were not given yet, as objects."""
        *whole, self.body = self.body.split(b"\n")
        return [json.loads(line) for line in whole if line]


class Session:
    """One session of a producer: what it sent, and what it was told.

    A piece goes out once all but the last few fragments before it are durable. So of a session with
    fewer promises than `certain` it is known that the server had not got all of it.
    """

    def __init__(self, server, stream, footage, pace=None, before=None):
        self.address, self.stream, self.footage = server.address, stream, footage
        self.pace = pace or (lambda: 0)
        self.before = before or (lambda index: None)
        self.persisted = []  # (number, digest) in order
        self.numbers = []  # every number that was named
        self.is_whole = False  # the last piece is on its way, or sent
        self.is_over = False  # the answer came to its end
        self.is_broken = False  # the connection did
        self.trouble = None  # what the server said was wrong
        self.status = None

    @property
    def certain(self):
        return len(self.footage.pieces) - 1 - AHEAD

    @property
    def was_open(self):
        """Whether the session was durably opened and cannot have ended by itself."""
        return bool(self.persisted) and not self.is_whole

    def run(self):
        answer = Answer()
        try:
            with socket.create_connection(self.address, timeout=TIMEOUT) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    self._send(connection, answer)
                except OSError:
                    pass  # an answer may have come before the connection was closed
                while not answer.is_over:
                    data = connection.recv(1 << 16)
                    if not data:
                        break
                    self._take(answer, data)
        except socket.timeout:
            self.trouble = f"nothing was said for {TIMEOUT} s"
        except OSError:
            pass
        self.is_over = answer.is_over
        self.is_broken = not answer.is_over
        self._conclude(answer)

    def _send(self, connection, answer):
        connection.sendall(self.request())
        if self.footage.head:
            connection.sendall(chunk(self.footage.head))
        last = len(self.footage.pieces) - 1
        for index, piece in enumerate(self.footage.pieces):
            while self.waits_for(index) and not answer.is_over:
                self._take(answer, connection.recv(1 << 16))
            self.before(index)
            if answer.is_over:
                return
            self.is_whole = index == last
            for at in range(0, len(piece), 16_384):
                connection.sendall(chunk(piece[at : at + 16_384]))
                time.sleep(self.pace())
        connection.sendall(OVER)

    def waits_for(self, index):
        return len(self.persisted) < index - AHEAD

    def _take(self, answer, data):
        if not data:
            raise ConnectionResetError("the server closed the connection")
        answer.feed(data)
        self.status = answer.status
        if answer.status == 200 and self.is_told_by_line:
            for line in answer.lines():
                self.heard(line)

    def promise(self, number, index):
        if number in (known for known, _ in self.persisted):
            self.trouble = f"fragment {number} was acknowledged twice"
        digests = self.footage.digests
        self.persisted.append((number, digests[index] if index < len(digests) else None))
        self.name(number)

    def name(self, number):
        if number not in self.numbers:
            if self.numbers and sequence(number) <= sequence(self.numbers[-1]):
                self.trouble = f"fragment {number} comes after {self.numbers[-1]}"
            self.numbers.append(number)

    def _conclude(self, answer):
        if answer.status not in (None, 200):
            self.trouble = f"status {answer.status}: {answer.body.decode(errors='replace')}"


class Push(Session):
    """`PUT /v1/streams/NAME/media`; with `by_line` it is told of each durable fragment."""

    def __init__(self, server, stream, footage, start_ms=None, by_line=True, **more):
        super().__init__(server, stream, footage, **more)
        self.start_ms, self.is_told_by_line = start_ms, by_line
        self.end = None  # the object that ends the answer
        self.times = []  # producer times of what is persisted, from the start on

    def request(self):
        query = f"?startTimestamp={self.start_ms}" if self.start_ms is not None else ""
        accept = "application/x-ndjson" if self.is_told_by_line else "application/json"
        return (f"PUT /v1/streams/{self.stream}/media{query} HTTP/1.1\r\nHost: localhost\r\n"
                f"Accept: {accept}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n").encode()

    def waits_for(self, index):
        return self.is_told_by_line and super().waits_for(index)

    def heard(self, line):
        if line["event"] == "persisted":
            # Behind one that could not be stored others may be told of, so their time says which.
            index, times = len(self.persisted), self.footage.times
            self.times.append(milliseconds(line["producerTimestamp"]) - (self.start_ms or 0))
            if self.start_ms is not None and times:
                index = times.index(self.times[-1]) if self.times[-1] in times else len(times)
            self.promise(line["fragmentNumber"], index)
        elif line["event"] == "end":
            self.end = line
            if "error" in line:
                self.trouble = json.dumps(line["error"])

    def _conclude(self, answer):
        super()._conclude(answer)
        if self.is_over and not self.is_told_by_line:
            self.end = json.loads(answer.body)


class PutMedia(Session):
    """`POST /putMedia`; RELATIVE with a start, ABSOLUTE when the timecodes are those of the clock."""

    is_told_by_line = True

    def __init__(self, server, stream, footage, start_ms=None, **more):
        super().__init__(server, stream, footage, **more)
        self.start_ms = start_ms
        self.error = None  # the acknowledgement that ended the session

    def request(self):
        kind, start = "ABSOLUTE", time.time()
        if self.start_ms is not None:
            kind, start = "RELATIVE", self.start_ms / 1000
        return (f"POST /putMedia HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                f"x-amzn-stream-name: {self.stream}\r\nx-amzn-fragment-timecode-type: {kind}\r\n"
                f"x-amzn-fragment-acknowledgment-required: 1\r\n"
                f"x-amzn-producer-start-timestamp: {start:.3f}\r\n\r\n").encode()

    def heard(self, line):
        kind = line["EventType"]
        if kind == "PERSISTED":
            self.promise(line["FragmentNumber"], len(self.persisted))
        elif kind == "ERROR":
            self.error, self.trouble = line, json.dumps(line)
        elif "FragmentNumber" in line:
            self.name(line["FragmentNumber"])


def milliseconds(text):
    """A time of an answer as milliseconds since 1970."""
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


class Producer(threading.Thread):
    """Sends one session after another until it is told to stop or its connection breaks."""

    def __init__(self, make_session, sessions):
        super().__init__(daemon=True)
        self.make_session, self.sessions = make_session, sessions
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            session = self.make_session()
            self.sessions.append(session)
            session.run()
            if session.is_broken or session.trouble:
                return
