"""HTTP/2: by curl and nghttp what is served, by raw frames what is not.

Floods are written as frames: no client would send them.
"""

import hashlib
import json
import os
import re
import struct
import subprocess
import tempfile
import threading
import time

from harness import H2, Program, wait_for

PRIOR = "--http2-prior-knowledge"


def echo_of(body):
    return [len(body), hashlib.sha256(body).hexdigest()]


def test_curl_uploads_over_http_2():
    with Program() as p:
        for body in (b"a", b"x" * 70000, os.urandom(5 << 20)):
            status, out = p.curl(PRIOR, "-T", "-", "-w", "\n%{http_version}",
                                 data=body)
            answer, version = out.decode().rsplit("\n", 1)
            assert version == "2", version
            assert json.loads(answer)["body"] == echo_of(body)
            assert json.loads(answer)["host"] == "127.0.0.1:%d" % p.port
        status, out = p.curl(PRIOR, "-I", path="/metrics")
        assert b"HTTP/2 200" in out
        status, out = p.curl(PRIOR, "-T", "-", "-H", "Expect: 100-continue",
                             data=b"abc")
        assert json.loads(out)["body"] == echo_of(b"abc")


def test_answers_come_while_the_upload_goes_on():
    with Program() as p, H2(p.port) as h2:
        h2.headers(1, path="/v1/lines")
        for total in range(1, 6):
            h2.frame(h2.DATA, 0, 1, b"x")
            line = json.loads(h2.read_until(h2.DATA, 1))
            assert line == {"rowsReceivedTotal": total}
        h2.frame(h2.DATA, h2.END_STREAM, 1)
        assert json.loads(h2.read_until(h2.DATA, 1)) == {"final": True}


def test_curl_shows_answers_while_it_is_fed():
    # "-T ." reads without blocking; "-T -" looks at answers between reads
    for source in (".", "-"):
        with Program() as p:
            curl = subprocess.Popen(
                ["curl", "-sN", "--no-progress-meter", PRIOR, "--max-time", "30", "-T", source,
                 "http://127.0.0.1:%d/v1/lines" % p.port],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            lines = []
            reader = threading.Thread(target=lambda: [
                lines.append(x) for x in iter(curl.stdout.readline, b"")])
            reader.start()

            def feed():
                time.sleep(0.1)
                curl.stdin.write(b"x" * 1000)
                curl.stdin.flush()
                return curl.poll() is not None or len(seen()) >= 1

            def seen():
                return re.findall(r"[0-9]{4,}",
                                  b"".join(lines).decode())
            for _ in range(100):
                if feed():
                    break
            assert seen(), lines
            curl.stdin.close()
            assert curl.wait(20) == 0
            reader.join(20)
            counts = [int(n) for n in seen()]
            assert counts == sorted(counts)
            assert json.loads(lines[-1]) == {"final": True}


def test_a_failure_behind_the_head_is_in_a_trailer():
    with Program() as p:
        out = subprocess.run(["nghttp", "-v", "-d", "/etc/passwd",
                              "http://127.0.0.1:%d/v1/late" % p.port],
                             stdout=subprocess.PIPE, timeout=30).stdout
        assert b"x-intake-status: 422" in out, out


def test_an_early_answer_ends_the_upload_without_an_error():
    with Program(drain_ms=100) as p:
        status, out = p.curl(PRIOR, "-T", "-", "-o", "/dev/null", "-w",
                             "%{http_code}", path="/v1/early",
                             data=b"x" * (4 << 20))
        assert out == b"422", (status, out)
        with H2(p.port) as h2:
            h2.headers(1, path="/v1/early")
            h2.frame(h2.DATA, 0, 1, b"x")
            payload = h2.read_until(h2.RST, 1)
            assert payload == struct.pack(">I", 0)
        status, out = p.curl(PRIOR, "-T", "-", data=b"abc")
        assert json.loads(out)["body"] == echo_of(b"abc")


def test_h2load_keeps_many_streams_busy():
    with Program(loaders=4, max_queue=1000) as p:
        with tempfile.NamedTemporaryFile() as f:
            f.write(b'["a", 1]\n' * 100)
            f.flush()
            out = subprocess.run(
                ["h2load", "-n", "500", "-c", "5", "-m", "10", "-d", f.name,
                 "http://127.0.0.1:%d/v1/echo" % p.port],
                stdout=subprocess.PIPE, timeout=60).stdout.decode()
        assert re.search(r"500 succeeded, 0 failed", out), out
        assert len(p.requests) == 500


def test_a_reset_stream_is_a_disconnect():
    with Program() as p, H2(p.port) as h2:
        h2.headers(1)
        h2.frame(h2.DATA, 0, 1, b"abcde")
        wait_for(lambda: len(p.requests) == 2, "the visits")
        h2.frame(h2.RST, 0, 1, struct.pack(">I", 8))
        wait_for(lambda: p.ended, "the end")
        kind, last, body = p.ended[0]
        assert kind == "X" and last["disconnect"]
        assert list(body) == echo_of(b"abcde")


def test_a_body_against_the_protocol_is_no_disconnect():
    # a part of it would be kept, when the client wants parts kept
    for name, frame in (("less than its length", (H2.DATA, 1, 1, b"x")),
                        ("more than its length", (H2.DATA, 0, 1, b"x" * 10)),
                        ("data of no stream", (H2.DATA, 0, 0, b"x")),
                        ("a window of 0", (H2.WINDOW, 0, 1, b"\0" * 4))):
        with Program() as p, H2(p.port) as h2:
            h2.headers(1, extra=[("content-length", "10")])
            h2.frame(h2.DATA, 0, 1, b"abcde")
            wait_for(lambda: len(p.requests) == 2, "the visits")
            h2.frame(*frame)
            wait_for(lambda: p.ended, "the end")
            kind, last, body = p.ended[0]
            assert kind == "X" and not last["disconnect"], (name, last)
            assert last["status"] == 400, (name, last)


def test_a_lost_connection_is_a_disconnect_of_all_its_streams():
    with Program(loaders=4) as p:
        with H2(p.port) as h2:
            for stream in (1, 3, 5):
                h2.headers(stream)
                h2.frame(h2.DATA, 0, stream, b"abcde")
            wait_for(lambda: len(p.requests) >= 3, "the visits")
        wait_for(lambda: len(p.ended) == 3, "the ends")
        assert all(k == "X" and last["disconnect"] and body[0] == 5
                   for k, last, body in p.ended)


def test_a_half_closed_connection_gets_its_answer_over_http_2():
    with Program() as p, H2(p.port) as h2:
        h2.headers(1)
        h2.frame(h2.DATA, 0, 1, b"abcde")
        h2.raw.finish()
        body = h2.read_until(h2.DATA, 1)
        assert json.loads(body)["body"] == echo_of(b"abcde")


def test_the_window_holds_a_client_back_and_opens_again():
    with Program(loaders=2) as p:
        with H2(p.port) as h2:
            h2.headers(1, path="/v1/stuck")
            sent = 0
            window = 65535
            # what we may send grows by what the server gives
            h2.raw.sock.settimeout(1)
            try:
                while sent < 64 << 20:
                    while window >= 16384:
                        h2.frame(h2.DATA, 0, 1, b"x" * 16384)
                        window -= 16384
                        sent += 16384
                    kind, flags, stream, payload = h2.read()
                    if kind == h2.WINDOW and stream == 1:
                        window += int.from_bytes(payload, "big")
                    elif kind == h2.SETTINGS and not flags:
                        h2.frame(h2.SETTINGS, 1, 0)
                        for i in range(0, len(payload), 6):
                            key, value = struct.unpack(">HI",
                                                       payload[i:i + 6])
                            window += value - 65535 if key == 4 else 0
            except (TimeoutError, OSError):
                pass
            assert 65536 <= sent < 8 << 20, sent
            assert p.rss_mb() < 64
            p.release.set()
            h2.raw.sock.settimeout(20)
            h2.read_until(h2.WINDOW, 1)


def test_bodies_that_nobody_loads_have_a_limit_in_all():
    with Program(loaders=1, max_queue=1000, max_streams=1000) as p:
        with p.connect() as raw:
            raw.send("PUT /v1/hold HTTP/1.1\r\nHost: x\r\n"
                     "Content-Length: 0\r\n\r\n")
            wait_for(lambda: p.requests, "the loader")
            held = []
            for _ in range(20):
                h2 = H2(p.port)
                held.append(h2)
                h2.read_until(h2.SETTINGS, flags=1)
                for i in range(60):
                    h2.headers(1 + 2 * i)
                    for _ in range(4):
                        h2.frame(h2.DATA, 0, 1 + 2 * i, b"x" * 16000)
            wait_for(lambda: p.metric('pg_intake_http_rejected_total'
                                      '{reason="queue"}') > 0, "a refusal")
            assert p.rss_mb() < 64, p.rss_mb()
            for h2 in held:
                h2.raw.sock.close()
            p.release.set()
            assert raw.answer().status == 200


def flood(make, limits=None):
    """Sends until the server has had enough; returns GOAWAY's code."""
    with Program(loaders=1, **(limits or {})) as p:
        with H2(p.port) as h2:
            h2.raw.sock.settimeout(20)
            try:
                for i in range(200):
                    h2.raw.send(b"".join(make(i * 50 + j)
                                         for j in range(50)))
            except OSError:
                pass
            try:
                code = h2.goaway()
            except (EOFError, OSError):
                code = None     # a reset overtook it
        wait_for(lambda: p.logs(), "a line")
        lines = p.logs()
        assert p.request("GET", "/actuator/health").status == 200
        assert code in (11, 1, None), code
        assert len(lines) == 1 and "frames that do no work" in lines[0], lines
        assert p.rss_mb() < 64


def test_floods_of_frames_that_do_no_work_are_cut_off():
    flood(lambda i: H2.encode(H2.PING, 0, 0, b"12345678"))
    flood(lambda i: H2.encode(H2.SETTINGS, 0, 0))
    flood(lambda i: H2.encode(H2.PRIORITY, 0, 2 * i + 1, b"\0\0\0\0\1"))
    flood(lambda i: H2.encode(H2.WINDOW, 0, 0, b"\0\0\0\1"))
    first = H2.encode(H2.HEADERS, 4, 1, H2.fields(
        [(":method", "PUT"), (":scheme", "http"), (":path", "/v1/echo"),
         (":authority", "x")]))
    flood(lambda i: (first if i == 0 else b"") + H2.encode(H2.DATA, 0, 1))


def test_rapid_resets_are_cut_off():
    block = H2.fields([(":method", "GET"), (":scheme", "http"),
                       (":path", "/v1/echo"), (":authority", "x")])

    def make(i):
        stream = 2 * i + 1
        return (H2.encode(H2.HEADERS, 5, stream, block) +
                H2.encode(H2.RST, 0, stream, struct.pack(">I", 8)))
    flood(make)


def test_resets_that_a_client_provokes_are_cut_off():
    # a body that is longer than it said is an error of its stream
    block = H2.fields([(":method", "GET"), (":scheme", "http"),
                       (":path", "/v1/echo"), (":authority", "x"),
                       ("content-length", "1")])

    def make(i):
        stream = 2 * i + 1
        return (H2.encode(H2.HEADERS, 4, stream, block) +
                H2.encode(H2.DATA, 0, stream, b"ab"))
    flood(make)


def test_streams_have_a_limit():
    with Program(max_streams=3) as p, H2(p.port) as h2:
        h2.read_until(h2.SETTINGS, flags=1)
        for stream in (1, 3, 5, 7):
            h2.headers(stream)
        assert h2.goaway() == 1


def test_heads_over_http_2_are_read_as_strictly():
    good = [(":method", "PUT"), (":scheme", "http"), (":path", "/v1/echo"),
            (":authority", "x")]
    bad = [
        ("no host", good[:3], []),
        ("two hosts", good, [("host", "y")]),
        ("target", good[:2] + [(":path", "v1"), (":authority", "x")], []),
        ("path bytes", good[:2] + [(":path", "/\x01"), (":authority", "x")],
         []),
        ("upper case", good, [("X", "a")]),
        ("connection", good, [("connection", "close")]),
        ("te", good, [("transfer-encoding", "chunked")]),
        ("value", good, [("x", "a\nb")]),
        ("delete", good, [("x", "a\x7fb")]),
        ("name", good, [("x y", "a")]),
        ("no name", good, [("", "a")]),
        ("host", good, [("host", "a b")]),
        ("length", good, [("content-length", "1"), ("content-length", "2")]),
        ("encoding", good, [("content-encoding", "br")]),
        ("fields", good, [("x%d" % i, "a") for i in range(200)]),
        ("long", good, [("x", "a" * 8000), ("y", "a" * 8000)]),
    ]
    with Program(header_bytes=9000) as p:
        for name, pseudo, extra in bad:
            with H2(p.port) as h2:
                h2.headers(1, pseudo=pseudo, extra=extra, flags=5)
                while True:
                    kind, flags, stream, payload = h2.read()
                    if kind in (h2.RST, h2.GOAWAY):
                        break
                    if kind == h2.HEADERS:
                        # 4xx as a literal, or 400 and 404 by their index
                        assert b"4" in payload[:6] or payload[0] in \
                            (0x8c, 0x8d), (name, payload)
                        break
        assert p.requests == []


def test_a_length_that_the_data_do_not_have_is_refused():
    with Program(log="errors") as p, H2(p.port) as h2:
        h2.headers(1, extra=[("content-length", "10")])
        h2.frame(h2.DATA, 1, 1, b"abc")
        h2.read_until(h2.RST, 1)
        wait_for(p.logs, "a line")
        assert ": 400 after" in p.logs()[0], p.logs()
        # a loader that is there already hears of it, as of no disconnect
        assert not any(last["disconnect"] for _, last, _ in p.ended)


def test_a_head_that_never_ends_is_cut_off():
    with Program(header_timeout_ms=700) as p:
        with H2(p.port) as h2:
            h2.headers(1, flags=0)
            try:
                assert h2.goaway() in (11, 1)
            except (EOFError, OSError):
                pass
        # and one that never stops
        with H2(p.port) as h2:
            h2.headers(1, flags=0)
            try:
                for _ in range(10000):
                    h2.frame(h2.CONTINUATION, 0, 1, h2.fields([("x", "a")]))
                h2.goaway()
            except (EOFError, OSError):
                pass
        assert p.request("GET", "/actuator/health").status == 200
        assert p.rss_mb() < 64


def test_an_answer_that_gets_no_window_is_cut_off():
    no_window = struct.pack(">HI", 4, 0)
    with Program(idle_timeout_ms=600) as p:
        with H2(p.port, no_window) as h2:
            h2.headers(1, method="GET", path="/v1/big", flags=5)
            assert h2.read_until(h2.RST, 1) == struct.pack(">I", 8)
        wait_for(lambda: p.metric("pg_intake_loaders_busy") == 0, "rest")


def test_silence_ends_a_connection_of_http_2():
    with Program(idle_timeout_ms=1000, header_timeout_ms=1000) as p:
        with H2(p.port) as h2:
            assert h2.goaway() == 0
        with p.connect() as raw:
            raw.send("PRI * HT")
            assert raw.is_closed()


def test_a_server_that_ends_lets_open_streams_end():
    with Program(loaders=2) as p, H2(p.port) as idle, H2(p.port) as h2:
        idle.read_until(idle.SETTINGS, flags=1)
        h2.headers(1, path="/v1/hold", flags=5)
        wait_for(lambda: p.requests, "a request")
        p.configure(port=0)
        assert idle.goaway() == 0
        assert h2.goaway() == 0
        p.release.set()
        assert json.loads(h2.read_until(h2.DATA, 1)) == {"held": True}
        h2.raw.rest()


def test_garbage_behind_the_preface_is_refused():
    with Program() as p:
        for i in range(50):
            with p.connect() as raw:
                raw.send(H2.PREFACE)
                try:
                    raw.send(bytes((i * 31 + j * j * 7) % 256
                                   for j in range(2000)))
                    raw.finish().rest()
                except OSError:
                    pass
        assert p.request("GET", "/v1/echo").status == 200
