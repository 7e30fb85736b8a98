"""crowd.py: many partners write at once, over connections that break.

    crowd.py < partners.json

reads {"port", "seed", "operations", "partners": [{"id", "oauth", "table",
"writer", "has_key", "is_shared"}]}.  Each partner, a thread, gets a token,
links itself and writes that many operations one after another; each is tried
again until it is answered 200.  A try is cut off at a random byte by us, or by
a SIGKILL to curl, or left to end.
Prints {"answers": {"own 200 ": n, "shared 423 55P03": n, ...}, "cuts": n,
"lengths": {writer: [rows of each operation]}, "wrong": [...]}.
"""

import collections
import http.client
import json
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid

os.environ.setdefault("INTAKE_HTTP", "")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../http")
from harness import H2  # noqa: E402

CUT_SHARE = 0.6
MAX_TRIES = 400
FIELDS = ("writer", "operation", "line")


class Partner(threading.Thread):
    def __init__(self, test, partner):
        super().__init__()
        self.test = test
        self.partner = partner
        self.writer = int(partner["writer"])
        self.name = "shared" if partner["is_shared"] else "own"
        # who stalls keeps others off the one table
        self.pause = 0.5 if partner["is_shared"] else 0
        self.lengths = []
        self.random = random.Random("%s %s" % (test.seed, self.writer))
        self.path = "/provider/v1/connection/%s/table/%s/data" % (
            partner["id"], partner["table"])

    def ask(self, path, body, headers):
        peer = http.client.HTTPConnection("127.0.0.1", self.test.port,
                                          timeout=60)
        peer.request("POST", path, body, headers)
        answer = peer.getresponse()
        text = answer.read().decode()
        peer.close()
        if answer.status != 200:
            raise RuntimeError("%s: %d %s" % (path, answer.status, text))
        return json.loads(text)

    def enter(self):
        token = self.ask("/iam/v1/tokens", json.dumps(
            {"yandexPassportOauthToken": self.partner["oauth"]}),
            {"Content-Type": "application/json"})["iamToken"]
        self.bearer = "Bearer " + token
        self.client = self.ask(
            "/provider/v1/connection/%s/client-id" % self.partner["id"], None,
            {"Authorization": self.bearer})["client_id"]

    def run(self):
        try:
            self.enter()
            for operation in range(self.test.operations):
                self.write(operation)
        except Exception as error:
            self.test.complain("%s %d: %r" % (self.name,
                                              self.writer, error))

    def write(self, operation):
        """One operation, until it is done; then once more."""
        lines = self.random.choice((1, 3, 50, 800, 8000))
        self.lengths.append(lines)
        body = "".join("[%d, %d, %d]\n" % (self.writer, operation, i)
                       for i in range(lines)).encode()
        headers = self.headers(operation)
        for _ in range(MAX_TRIES):
            if self.random.random() < CUT_SHARE:
                self.cut(headers, body)
                continue
            if self.send(headers, body, lines):
                break
        else:
            raise RuntimeError("operation %d has no end" % operation)
        if self.random.random() < 0.3:
            self.send(headers, body, lines)

    def headers(self, operation):
        definition = {"schema": [{"name": n, "type": "integer"}
                                 for n in FIELDS]}
        if self.partner["has_key"]:
            definition["replacing_key"] = ["line"]
        headers = {
            "authorization": self.bearer,
            "x-dl-client-id": self.client,
            "x-dl-operation-uuid":
                str(uuid.UUID(int=self.random.getrandbits(128))),
            "x-dl-data-format": "array",
            "content-type": "application/x-ndjson"}
        if operation == 0:
            headers["x-dl-table-definition"] = json.dumps(definition)
        return list(headers.items())

    def curl(self, headers, *options):
        """The arguments of curl; the body is its standard input."""
        command = ["curl", "-s", "-i", "-m", "60", "--data-binary", "@-",
                   self.random.choice(("--http1.1",
                                       "--http2-prior-knowledge"))]
        for name, value in headers:
            command += ["-H", "%s: %s" % (name, value)]
        return command + list(options) + [
            "http://127.0.0.1:%d%s" % (self.test.port, self.path)]

    def send(self, headers, body, lines):
        """A try that is not cut; true when it is done."""
        done = subprocess.run(self.curl(headers), input=body,
                              stdout=subprocess.PIPE)
        head, _, text = done.stdout.decode().replace("\r", "").partition(
            "\n\n")
        answer = json.loads(text)
        status = int(head.split()[1])
        self.test.count("%s %d %s" % (self.name, status,
                                      answer.get("code", "")))
        if status == 200:
            if answer["row_count"] != lines:
                self.test.complain("%s of %d lines" % (answer, lines))
            return True
        if "\nretry-after:" not in head.lower():
            self.test.complain("%d without Retry-After: %s" % (status, text))
        time.sleep(self.random.uniform(0.02, 0.2))
        return False

    def cut(self, headers, body):
        """A try that is cut off at a random point."""
        self.test.count("cut")
        if self.random.random() < 0.3:
            self.kill_curl(headers, body)
            return
        wire = self.random.choice((self.wire_1, self.wire_2))(headers, body)
        sock = socket.create_connection(("127.0.0.1", self.test.port), 60)
        with sock:
            sock.sendall(wire[:self.random.randint(0, len(wire))])
            if self.random.random() < 0.5:
                # a reset, where else the end of the stream comes
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack("ii", 1, 0))
            time.sleep(self.random.choice((0, 0.001, 0.01, self.pause)))

    def kill_curl(self, headers, body):
        with tempfile.TemporaryFile() as file:
            file.write(body)
            file.seek(0)
            process = subprocess.Popen(
                self.curl(headers, "--limit-rate", "20k"), stdin=file,
                stdout=subprocess.DEVNULL)
            time.sleep(self.random.uniform(0, 0.1))
            process.kill()
            process.wait()

    def wire_1(self, headers, body):
        head = "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % (
            self.path, len(body))
        head += "".join("%s: %s\r\n" % pair for pair in headers)
        return head.encode() + b"\r\n" + body

    def wire_2(self, headers, body):
        pairs = [(":method", "POST"), (":scheme", "http"),
                 (":path", self.path), (":authority", "x")] + headers
        wire = H2.PREFACE + H2.encode(H2.SETTINGS, 0, 0)
        wire += H2.encode(H2.HEADERS, H2.END_HEADERS, 1, H2.fields(pairs))
        for i in range(0, len(body), 5000):
            wire += H2.encode(H2.DATA, 0, 1, body[i:i + 5000])
        if self.random.random() < 0.3:
            return wire + H2.encode(H2.RST, 0, 1, struct.pack(">I", 8))
        return wire + H2.encode(H2.DATA, H2.END_STREAM, 1)


class Test:
    def __init__(self, settings):
        self.port = int(settings["port"])
        self.seed = settings["seed"]
        self.operations = int(settings["operations"])
        self.lock = threading.Lock()
        self.answers = collections.Counter()
        self.wrong = []
        self.partners = [Partner(self, p) for p in settings["partners"]]

    def count(self, what):
        with self.lock:
            self.answers[what] += 1

    def complain(self, what):
        with self.lock:
            self.wrong.append(what)

    def run(self):
        for partner in self.partners:
            partner.start()
        for partner in self.partners:
            partner.join()
        lengths = {p.writer: p.lengths for p in self.partners}
        print(json.dumps({"cuts": self.answers.pop("cut", 0),
                          "answers": self.answers, "lengths": lengths,
                          "wrong": self.wrong}))


Test(json.load(sys.stdin)).run()
