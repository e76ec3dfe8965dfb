"""The server as a process, and the promises of a crash that every test of it holds it to."""

import http.client
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

import footage
from footage import digest
from producers import Push, sequence

# A kill leaves the kernel its cache, and the power cuts make their own disk.
PLACE = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
EVERYTHING = "from=earliest&to=9999-01-01T00:00:00Z"
TIMEOUT = 60
BEGIN_MS = 1_767_225_600_000  # 2026-01-01: when producers say that their footage was taken


class Failed(Exception):
    """A promise that was not kept."""


def expect(condition, text):
    if not condition:
        raise Failed(text)


def await_that(condition, text, seconds=TIMEOUT):
    """Looks again until the condition gives something, and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Failed(f"within {seconds} s: {text}")
        time.sleep(0.02)


class Server:
    """`kinelog serve` on a data directory and a port of its own."""

    def __init__(self, program, data, environment=None, options=()):
        self.data, self.log_path = data, data + ".log"
        self.log_start = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [program, "serve", "--data", data, "--http", "127.0.0.1:0", *options],
                stdout=subprocess.PIPE, stderr=log, env={**os.environ, **(environment or {})})
        self.address = None
        self._connection = None

    def await_listening(self):
        ready, _, _ = select.select([self.process.stdout], [], [], TIMEOUT)
        line = self.process.stdout.readline().decode() if ready else ""
        expect("listening on" in line, f"the server does not start on {self.data}:\n{self.log()}")
        host, port = urllib.parse.urlsplit(line.split()[-1]).netloc.rsplit(":", 1)
        self.address = (host, int(port))
        return self

    def log(self):
        """The end of what this process logged."""
        with open(self.log_path, "rb") as file:
            file.seek(self.log_start)
            return file.read()[-3000:].decode(errors="replace")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self._end()

    def stop(self):
        """Ends it as an operator does; it must go by itself and say that all was well."""
        self.process.send_signal(signal.SIGTERM)
        status = self._end()
        expect(status == 0, f"the server ended with {status}:\n{self.log()}")

    def _end(self):
        if self._connection:
            self._connection.close()
            self._connection = None
        try:
            status = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = "nothing: it had to be killed"
        self.process.stdout.close()
        return status

    # Requests

    def ask(self, method, path, body=None):
        """Status and body; on one connection that is kept."""
        for attempt in (1, 2):
            if self._connection is None:
                self._connection = http.client.HTTPConnection(*self.address, timeout=TIMEOUT)
            try:
                self._connection.request(method, path, body)
                answer = self._connection.getresponse()
                return answer.status, answer.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # Closed as idle, which is nothing wrong once.
                self._connection.close()
                self._connection = None
                if attempt == 2:
                    raise

    def get(self, path):
        status, body = self.ask("GET", path)
        expect(status == 200, f"GET {path}: {status} {body[:500].decode(errors='replace')}")
        return body

    def json(self, path):
        return json.loads(self.get(path))

    def make_stream(self, name, hours=24):
        """As clients of KVS do; one that is there already is as good."""
        body = json.dumps({"StreamName": name, "DataRetentionInHours": hours})
        status, answer = self.ask("POST", "/createStream", body)
        expect(status == 200 or b"ResourceInUse" in answer, f"createStream: {status} {answer}")

    def fragments(self, stream, query=EVERYTHING):
        """All fragments of a list, page by page."""
        found, cursor = [], ""
        while True:
            page = self.json(f"/v1/streams/{stream}/fragments?limit=1000&{query}{cursor}")
            found += page["fragments"]
            if not page.get("nextCursor"):
                return found
            cursor = "&cursor=" + page["nextCursor"]

    def complete(self, stream):
        """Numbers of the fragments that are listed as whole."""
        return [fragment["fragmentNumber"] for fragment in self.fragments(stream)
                if "incomplete" not in fragment["flags"]]

    def document(self, stream, number):
        """A fragment as a file of its own."""
        return self.get(f"/v1/streams/{stream}/fragments/{number}")

    def gaps(self, stream, reason):
        """Gaps of a reason, whatever their clock."""
        return [gap for clock in ("producer", "server")
                for gap in self.json(f"/v1/streams/{stream}/timeline?by={clock}")["gaps"]
                if gap["reason"] == reason]

    def streams(self):
        return [stream["name"] for stream in self.json("/v1/streams")["streams"]]


def verify(program, data):
    """Holds a directory that no server uses against its checksums and databases."""
    report = subprocess.run([program, "verify", "--data", data], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=300)
    expect(report.returncode == 0,
           f"verify finds damage:\n{report.stdout[-2000:].decode(errors='replace')}")


def prepare(program, media):
    """A file as the two kinds of producers send it, each with the digests of what must come back.

    The server cuts and rewrites a transport stream, so its digests are taken from what a server made
    of it undisturbed; that this is the same footage is shown by its decoded pictures.
    """
    stream = footage.transport_stream(media)
    place = tempfile.mkdtemp(prefix="kinelog-reference-", dir=PLACE)
    server = Server(program, os.path.join(place, "data"))
    try:
        server.await_listening()
        session = Push(server, "reference", stream, BEGIN_MS)
        session.run()
        expect(session.trouble is None and len(session.persisted) == len(stream.pieces),
               f"{len(session.persisted)} of {len(stream.pieces)} fragments: {session.trouble}")
        stream.digests = [digest(server.document("reference", number))
                          for number, _ in session.persisted]
        stream.times = session.times
        path = os.path.join(place, "reference.mkv")
        with open(path, "wb") as file:
            file.write(server.get("/v1/streams/reference/media?" + EVERYTHING))
        expect(footage.frames(path) == footage.frames(media),
               "what is stored does not decode to the pictures that were sent")
        server.stop()
    finally:
        server.kill()
        shutil.rmtree(place)
    return stream, footage.clusters(media)


class Ledger:
    """What the producers of one stream were promised, over all lives of a data directory."""

    def __init__(self, name):
        self.name = name
        self.sessions = []  # of the present life
        self.promised = {}  # number: digest
        self.unchecked = []  # numbers whose bytes were not compared yet
        self.known = set()  # digests of everything that was ever sent
        self.highest = 0  # the highest sequence that anybody has seen
        self.crashed = set()  # sessions that have a gap of a crash
        self.lost = (0, 0)  # least and most gaps of a crash that are still to come

    def settle(self):
        """After a kill: takes over what the sessions of that life were told."""
        for session in self.sessions:
            expect(session.trouble is None, f"stream {self.name}: {session.trouble}")
            self.take(session.numbers)
            self.promised.update(session.persisted)
            self.unchecked += [number for number, _ in session.persisted]
            self.known.update(session.footage.digests)
        last = self.sessions[-1] if self.sessions else None
        if last and not last.is_over:
            self.lost = (self.lost[0] + last.was_open, self.lost[1] + 1)
        self.sessions = []

    def take(self, numbers):
        """Numbers that were given out now lie above everything that anybody has seen."""
        for number in numbers:
            expect(sequence(number) > self.highest, f"stream {self.name}: {number} comes after "
                                                    f"sequence {self.highest}")
            self.highest = sequence(number)

    def check(self, server, thorough=False):
        """Holds a server against what was promised; returns how many bytes of media it compared."""
        listed = server.fragments(self.name, EVERYTHING + "&by=server")
        flags = {fragment["fragmentNumber"]: fragment["flags"] for fragment in listed}
        numbers = [fragment["fragmentNumber"] for fragment in listed]
        order = [sequence(number) for number in numbers]
        expect(order == sorted(set(order)), f"stream {self.name}: numbers are not in order")
        for number in self.promised:
            expect(number in flags, f"stream {self.name}: acknowledged fragment {number} is lost")
            expect("incomplete" not in flags[number],
                   f"stream {self.name}: acknowledged fragment {number} is incomplete")
        by_producer = {fragment["fragmentNumber"] for fragment in server.fragments(self.name)}
        expect(by_producer == set(numbers),
               f"stream {self.name}: the lists by both clocks differ in {by_producer ^ set(numbers)}")
        compared = 0
        for number in numbers:
            fresh = number not in self.promised or number in self.unchecked
            if not (fresh or thorough) or "incomplete" in flags[number]:
                continue
            document = server.document(self.name, number)
            compared += len(document)
            found = digest(document)
            expect(found == self.promised.get(number, found) and found in self.known,
                   f"stream {self.name}: fragment {number} has other bytes than were sent")
        self.unchecked = []
        self.highest = max([self.highest, *order])
        self._check_gaps(server)
        return compared

    def _check_gaps(self, server):
        least, most = self.lost

        def crashed():
            sessions = [gap["session"] for gap in server.gaps(self.name, "crash")]
            expect(len(sessions) == len(set(sessions)),
                   f"stream {self.name}: a session has two gaps of a crash: {sessions}")
            return set(sessions)

        # They are written once the server is up.
        await_that(lambda: len(crashed()) >= len(self.crashed) + least,
                   f"stream {self.name} has no gap for a session that was open", 20)
        found = crashed()
        fresh = len(found - self.crashed)
        expect(found >= self.crashed, f"stream {self.name}: a gap of a crash is gone")
        expect(fresh <= most, f"stream {self.name}: {fresh} sessions have a gap of a crash, but at "
                              f"most {most} were open")
        self.crashed, self.lost = found, (0, most - fresh)
