"""A gateway and loaders of paper for pg_intake_http.

The real ones are background workers of PostgreSQL; here threads speak the
same frames, so that the program is tested alone, with answers and accidents
of our choice.  What a loader does is in the request's path: see Loader.
"""

import ctypes
import hashlib
import json
import os
import socket
import struct
import subprocess
import tempfile
import threading
import time

TIMEOUT = 20 * (2 if os.environ.get("INTAKE_VALGRIND") else 1)
PROGRAM = os.environ["INTAKE_HTTP"]


def wait_for(condition, what, timeout=TIMEOUT):
    """Waits for a state, never for a time."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.005)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def pack(kind, payload):
    if not isinstance(payload, bytes):
        payload = json.dumps(payload).encode()
    return struct.pack(">I", len(payload) + 1) + kind.encode() + payload


def read_exactly(sock, n):
    data = b""
    while len(data) < n:
        piece = sock.recv(n - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def read_frame(sock):
    (length,) = struct.unpack(">I", read_exactly(sock, 4))
    data = read_exactly(sock, length)
    return chr(data[0]), data[1:]


class Loader(threading.Thread):
    """One loader; the last word of the path says what it does.

    echo: answers with length and SHA-256 of the body, and how it ended.
    early: a final 422 before the body is read.
    logged: the same, and the loader has logged it.
    lines: an answer line for each piece, as Prostore's intermediate answers.
    late: a failure after the answer has begun, in the trailer.
    die, dielate: ends before its answer, or inside it.
    hold: answers when the test sets program.release.
    stuck: does not read until then.
    big: 8 MB of answer.
    retire: asks to retire, then answers.
    series: answers with the query's "route/status".
    """

    def __init__(self, program):
        super().__init__(daemon=True)
        self.program = program
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(program.path)
        program.loaders.append(self)    # before it may end
        self.send("H", {"pid": os.getpid()})
        self.start()

    def send(self, kind, payload):
        self.sock.sendall(pack(kind, payload))

    def run(self):
        try:
            while True:
                kind, payload = read_frame(self.sock)
                if kind == "Q":
                    self.serve(json.loads(payload))
        except (OSError, EOFError):
            pass
        finally:
            self.sock.close()
            if self in self.program.loaders:
                self.program.loaders.remove(self)

    def answer(self, status, body, headers=(), trailers=(), chunked=False,
               logged=False):
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = list(headers) + [["content-type", "application/json"]]
        if not chunked:
            headers.append(["content-length", str(len(text))])
        self.send("R", {"status": status, "headers": headers, "route": "v1"})
        for i in range(0, len(text), 65536):
            self.send("B", text[i:i + 65536])
        self.send("T", {"trailers": list(trailers), "rows": 3,
                        "logged": logged})

    def read_body(self, request, each=None):
        """Returns (body, how it ended, the last frame's members)."""
        if request["body"] == "none":
            return (0, hashlib.sha256().hexdigest()), "E", {}
        digest = hashlib.sha256()
        length = 0
        while True:
            kind, payload = read_frame(self.sock)
            if kind == "D":
                assert len(payload) <= 65536
                digest.update(payload)
                length += len(payload)
                if each:
                    each(length)
            else:
                return (length, digest.hexdigest()), kind, json.loads(payload)

    def serve(self, request):
        program = self.program
        with program.changed:
            program.requests.append(request)
            program.changed.notify_all()
        headers = dict(request["headers"])
        word = request["path"].rsplit("/", 1)[-1]
        if headers.get("authorization") == "Bearer wrong":
            self.answer(401, {"detail": "no"},
                        [["www-authenticate", "Bearer"]])
        elif request["preflight"]:
            if word == "holdhead":
                program.release.wait(TIMEOUT)
            self.send("G", {})
        else:
            getattr(self, "do_" + word, self.do_echo)(request)

    def do_echo(self, request, chunked=False):
        body, kind, last = self.read_body(request)
        program = self.program
        with program.changed:
            program.ended.append((kind, last, body))
            program.changed.notify_all()
        if kind == "X":
            self.answer(last["status"], {"broken": last["reason"],
                                         "body": body})
        else:
            self.answer(200, {"body": body, "raw": last.get("raw_bytes"),
                              "digests": last.get("digests"),
                              "mode": request["body"],
                              "query": request["query"],
                              "host": dict(request["headers"]).get("host"),
                              "id": request["request_id"]}, chunked=chunked)

    def do_chunks(self, request):
        self.do_echo(request, chunked=True)

    def do_early(self, request):
        self.answer(422, {"detail": "early"})

    def do_logged(self, request):
        self.answer(422, {"detail": "logged"}, logged=True)

    def do_lines(self, request):
        self.send("R", {"status": 200, "headers": [], "route": "prostore"})
        self.read_body(request, lambda n: self.send(
            "B", b'{"rowsReceivedTotal": %d}\n' % n))
        self.send("B", b'{"final": true}\n')
        self.send("T", {"trailers": [], "rows": 1})

    def do_late(self, request):
        self.send("R", {"status": 200, "headers": [], "route": "prostore"})
        self.read_body(request)
        self.send("B", b'{"exceptionMessage": "late"}\n')
        self.send("T", {"trailers": [["x-intake-status", "422"]]})

    def do_die(self, request):
        raise EOFError

    def do_dielate(self, request):
        self.send("R", {"status": 200, "headers": [], "route": "v1"})
        self.send("B", b"half")
        wait_for(self.program.release.is_set, "the test")
        raise EOFError

    def do_hold(self, request):
        self.read_body(request)
        self.program.release.wait(TIMEOUT)
        self.answer(200, {"held": True})

    def do_stuck(self, request):
        self.program.release.wait(TIMEOUT)
        self.do_echo(request)

    def do_big(self, request):
        self.answer(200, b"x" * (8 << 20))

    def do_series(self, request):
        route, status = request["query"].split("/")
        self.send("R", {"status": int(status), "route": route,
                        "headers": [["content-length", "0"]]})
        self.send("T", {"trailers": []})

    def do_retire(self, request):
        self.program.retired = self
        self.send("C", {})
        self.do_echo(request)


class Program:
    """pg_intake_http with its gateway: `with Program(...) as p`."""

    def __init__(self, loaders=2, ready=True, tls=None, log="none",
                 addresses=("127.0.0.1",), auto=False, **limits):
        self.limits = {"max_loaders": loaders, "idle_timeout_ms": 60000}
        self.limits.update(limits)
        self.auto = auto
        self.ready = ready
        self.tls = tls
        self.log = log
        self.addresses = list(addresses)
        self.frames = []
        self.requests = []
        self.ended = []
        self.loaders = []
        self.retired = None     # the loader that was last to ask for it
        self.changed = threading.Condition()
        self.release = threading.Event()
        self.nloaders = loaders
        self.dir = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.dir.name, "loaders")
        self.port = None

    def __enter__(self):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen(64)
        self.control, theirs = socket.socketpair()
        self.err = open(os.path.join(self.dir.name, "stderr"), "w+")
        # numbers above those that the program shall find them at
        fds = [os.dup2(s.fileno(), n) for s, n in ((theirs, 203),
                                                   (listener, 204))]
        libc = ctypes.CDLL(None)

        def child():
            os.dup2(203, 3)
            os.dup2(204, 4)
            libc.signal(15, 1)

        command = [PROGRAM]
        if os.environ.get("INTAKE_VALGRIND"):
            command = ["valgrind", "-q", "--error-exitcode=99",
                       "--leak-check=full", "--show-leak-kinds=definite",
                       "--errors-for-leak-kinds=definite",
                       "--log-file=%s/valgrind" % self.dir.name, PROGRAM, "--unconfined"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self.err, preexec_fn=child, close_fds=False)
        for fd in fds:
            os.close(fd)
        theirs.close()
        listener.close()
        threading.Thread(target=self.read_control, daemon=True).start()
        self.port = free_port()
        self.configure()
        self.wait_listening()
        for _ in range(self.nloaders if not self.auto else 0):
            self.add_loader()
        return self

    def __exit__(self, kind, value, trace):
        self.release.set()
        self.control.shutdown(socket.SHUT_RDWR)
        self.control.close()
        try:
            status = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = "killed"
        for loader in list(self.loaders):
            loader.sock.close()
        self.err.seek(0)
        text = self.err.read()
        if os.path.exists(self.dir.name + "/valgrind"):
            with open(self.dir.name + "/valgrind") as f:
                text += f.read()
        self.err.close()
        self.dir.cleanup()
        if kind is None:
            assert status == 0 and text == "", (status, text)
        elif text:
            print("# stderr: " + text.replace("\n", "\n# "))

    def add_loader(self):
        return Loader(self)

    def read_control(self):
        try:
            while True:
                kind, payload = read_frame(self.control)
                with self.changed:
                    self.frames.append((kind, json.loads(payload)))
                    self.changed.notify_all()
                if kind == "N" and self.auto:
                    for _ in range(self.nloaders - len(self.loaders)):
                        self.add_loader()
        except (OSError, EOFError):
            pass

    def configure(self, **changes):
        config = {"listen": self.addresses, "port": self.port,
                  "tls": self.tls, "limits": self.limits,
                  "ready": self.ready, "log_requests": self.log}
        config.update(changes)
        self.send("F", config)

    def send(self, kind, payload):
        self.control.sendall(pack(kind, payload))

    def get(self, kind):
        with self.changed:
            return [p for k, p in self.frames if k == kind]

    def logs(self):
        return [line["message"] for line in self.get("L")]

    def wait_listening(self, port=None):
        name = "127.0.0.1:%d" % (port or self.port)
        wait_for(lambda: any(name in k["listening"] for k in self.get("K")),
                 "the port")

    def wait_loaders(self, n):
        wait_for(lambda: self.metric("pg_intake_loaders") == n,
                 "%d loaders" % n)

    def metric(self, name):
        for line in self.request("GET", "/metrics").body.decode().split("\n"):
            if line.rpartition(" ")[0] == name:
                return float(line.rpartition(" ")[2])
        return None

    def connect(self):
        return Raw(self.port)

    def request(self, method, path, body=None, headers=()):
        with self.connect() as raw:
            return raw.request(method, path, body, headers)

    def curl(self, *args, scheme="http", path="/v1/echo", data=None,
             timeout=TIMEOUT):
        """Returns (exit status, output)."""
        url = "%s://127.0.0.1:%d%s" % (scheme, self.port, path)
        done = subprocess.run(["curl", "-sk", "--max-time", str(timeout),
                               *args, url], input=data, timeout=timeout + 5,
                              stdout=subprocess.PIPE)
        return done.returncode, done.stdout

    def rss_mb(self):
        if os.environ.get("INTAKE_VALGRIND"):
            return 0            # it would be valgrind's
        with open("/proc/%d/status" % self.process.pid) as f:
            for line in f:
                if line.startswith("VmRSS"):
                    return int(line.split()[1]) / 1024


class Answer:
    def __init__(self, status, headers, body, is_whole=True):
        self.status = status
        self.headers = headers
        self.body = body
        self.is_whole = is_whole

    def json(self):
        return json.loads(self.body)


class Raw:
    """A client of raw bytes: the forms under test are those that no HTTP
    library would send."""

    def __init__(self, port, timeout=TIMEOUT):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def finish(self):
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def more(self):
        try:
            piece = self.sock.recv(65536)
        except ConnectionResetError:
            piece = b""
        self.buffer += piece
        return bool(piece)

    def until(self, mark):
        while mark not in self.buffer:
            if not self.more():
                raise EOFError(self.buffer)
        head, _, self.buffer = self.buffer.partition(mark)
        return head

    def exactly(self, n):
        while len(self.buffer) < n:
            if not self.more():
                raise EOFError(self.buffer)
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def rest(self):
        while self.more():
            pass
        data, self.buffer = self.buffer, b""
        return data

    def read_head(self):
        lines = self.until(b"\r\n\r\n").decode().split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            headers[name] = value
        return int(lines[0].split(" ")[1]), headers

    def read_chunks(self):
        data = b""
        while True:
            size = int(self.until(b"\r\n"), 16)
            if size == 0:
                break
            data += self.exactly(size)
            assert self.exactly(2) == b"\r\n"
        trailers = {}
        while True:
            line = self.until(b"\r\n").decode()
            if not line:
                return data, trailers
            trailers.update([line.split(": ", 1)])

    def answer(self, method="GET"):
        status, headers = self.read_head()
        while status == 100:
            status, headers = self.read_head()
        body = b""
        trailers = {}
        if method != "HEAD":
            if headers.get("transfer-encoding") == "chunked":
                body, trailers = self.read_chunks()
            elif "content-length" in headers:
                body = self.exactly(int(headers["content-length"]))
            else:
                body = self.rest()
        answer = Answer(status, headers, body)
        answer.trailers = trailers
        return answer

    def request(self, method, path, body=None, headers=()):
        head = "%s %s HTTP/1.1\r\nHost: x\r\n" % (method, path)
        for line in headers:
            head += line + "\r\n"
        if body is not None:
            head += "Content-Length: %d\r\n" % len(body)
        self.send(head.encode() + b"\r\n" + (body or b""))
        return self.answer(method)

    def is_closed(self):
        """Waits for the end of the connection."""
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False


class H2:
    """A client that sends frames of HTTP/2 as it likes."""

    PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, \
        CONTINUATION = range(10)
    END_STREAM, END_HEADERS = 1, 4

    def __init__(self, port, settings=b""):
        self.raw = Raw(port)
        self.raw.send(self.PREFACE)
        self.frame(self.SETTINGS, 0, 0, settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.sock.close()

    @staticmethod
    def encode(kind, flags, stream, payload=b""):
        return (struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) +
                struct.pack(">I", stream) + payload)

    def frame(self, kind, flags, stream, payload=b""):
        self.raw.send(self.encode(kind, flags, stream, payload))

    @staticmethod
    def fields(pairs):
        block = b""
        for name, value in pairs:
            name, value = name.encode(), value.encode()
            assert len(name) < 127
            block += bytes([0, len(name)]) + name
            if len(value) < 127:
                block += bytes([len(value)]) + value
            else:
                rest = len(value) - 127
                block += b"\x7f"
                while rest >= 128:
                    block += bytes([rest % 128 + 128])
                    rest //= 128
                block += bytes([rest]) + value
        return block

    def headers(self, stream, method="POST", path="/v1/echo", extra=(),
                flags=4, pseudo=None):
        pairs = pseudo or [(":method", method), (":scheme", "http"),
                           (":path", path), (":authority", "x")]
        self.frame(self.HEADERS, flags, stream,
                   self.fields(list(pairs) + list(extra)))

    def read(self):
        head = self.raw.exactly(9)
        length = int.from_bytes(head[:3], "big")
        stream = int.from_bytes(head[5:9], "big")
        return head[3], head[4], stream, self.raw.exactly(length)

    def read_until(self, kind, stream=None, flags=0):
        """Answers pings and settings; returns the payload."""
        while True:
            got, got_flags, got_stream, payload = self.read()
            if got == self.SETTINGS and not got_flags & 1:
                try:
                    self.frame(self.SETTINGS, 1, 0)
                except OSError:
                    pass        # our side may be shut down
            if (got == kind and (stream is None or got_stream == stream) and
                    got_flags & flags == flags):
                return payload

    def goaway(self):
        """The error code of the GOAWAY that must come."""
        payload = self.read_until(self.GOAWAY)
        return int.from_bytes(payload[4:8], "big")
