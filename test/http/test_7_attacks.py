"""Clients that want to cost more than they pay."""

import gzip
import json
import os
import socket
import struct
import subprocess
import threading
import time

from harness import H2, Program, wait_for
from test_3_http2 import flood
from test_4_tls import PAIR, client

HEAD = "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n"
GET = [(":method", "GET"), (":scheme", "http"), (":path", "/metrics"),
       (":authority", "x")]


def is_well(p):
    assert p.request("PUT", "/v1/echo", b"abc").status == 200
    assert p.rss_mb() < 64, p.rss_mb()


def no_window():
    """Settings that take no byte of an answer's body."""
    return struct.pack(">HI", 4, 0)


def test_frames_of_no_kind_are_a_flood_too():
    flood(lambda i: H2.encode(0x55, 0, 0, b"x"))
    # padding is no data
    first = H2.encode(H2.HEADERS, 4, 1, H2.fields(
        [(":method", "PUT"), (":scheme", "http"), (":path", "/v1/echo"),
         (":authority", "x")]))
    with Program() as p:
        with H2(p.port) as h2:
            h2.raw.send(first)
            try:
                for _ in range(300):
                    h2.raw.send(H2.encode(H2.DATA, 8, 1, b"\xff" + b"\0" * 255)
                                * 50)
            except OSError:
                pass
        is_well(p)


def test_what_is_on_its_way_behind_an_early_answer_is_no_flood():
    with Program(drain_ms=100) as p, H2(p.port) as h2:
        h2.headers(1, path="/v1/early")
        h2.frame(h2.DATA, 0, 1, b"x")
        h2.read_until(h2.RST, 1)
        try:
            for _ in range(3):
                h2.frame(h2.DATA, 0, 1, b"x" * 16384)
            for _ in range(400):
                h2.frame(h2.DATA, 0, 1, b"x" * 10)
            h2.headers(3, flags=5, method="GET")
            assert json.loads(h2.read_until(h2.DATA, 3))["mode"] == "none"
        except EOFError:
            raise AssertionError(p.logs())


def test_a_header_that_is_meant_many_times_is_counted_as_often():
    # put into the table once, 4 kB; then named again by one byte each
    block = H2.fields(GET) + b"\x40\x01x\x7f" + bytes([3900 % 128 + 128,
                                                       3900 // 128]) + \
        b"a" * (3900 + 127) + b"\xbe" * 10000
    with Program() as p:
        with H2(p.port) as h2:
            h2.frame(h2.HEADERS, 5, 1, block)
            while True:
                kind, flags, stream, payload = h2.read()
                if kind in (h2.RST, h2.GOAWAY):
                    break
                if kind == h2.HEADERS:
                    assert b"431" in payload[:8], payload
                    break
        is_well(p)


def test_streams_whose_answers_nobody_reads_are_refused():
    with Program(max_streams=1000) as p:
        # an answer of some size
        for status in range(200, 500):
            p.request("GET", "/v1/series?many/%d" % status)
        size = len(p.request("GET", "/metrics").body)
        held = []
        for _ in range(20):
            h2 = H2(p.port, no_window())
            held.append(h2)
            h2.read_until(h2.SETTINGS, flags=1)
            for i in range(90):
                h2.headers(1 + 2 * i, flags=5, pseudo=GET)
        assert held[0].read_until(held[0].RST) == struct.pack(">I", 7)
        wait_for(lambda: p.metric("pg_intake_http_connections") == 21, "all")
        assert p.rss_mb() < 64, (p.rss_mb(), size)
        # one that reads is answered again
        for stream in (0, 1, 3, 5, 7):
            held[0].frame(h2.WINDOW, 0, stream, struct.pack(">I", 1 << 24))
        held[0].read_until(held[0].DATA, 1, flags=1)
        for h2 in held:
            h2.raw.sock.close()
        is_well(p)


def test_a_client_of_http_2_that_reads_nothing_is_cut_off():
    with Program(idle_timeout_ms=700) as p:
        with H2(p.port, struct.pack(">HI", 4, (1 << 31) - 1)) as h2:
            h2.raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            h2.frame(h2.WINDOW, 0, 0, struct.pack(">I", 1 << 30))
            h2.headers(1, flags=5, method="GET", path="/v1/big")
            wait_for(lambda: p.requests, "the request")
            wait_for(lambda: p.metric("pg_intake_http_connections") == 1,
                     "the end")
        wait_for(lambda: p.metric("pg_intake_loaders_busy") == 0, "rest")
        is_well(p)


def test_answers_that_get_a_byte_at_a_time_hold_no_loader():
    with Program(loaders=2) as p:
        with H2(p.port, no_window()) as h2:
            h2.headers(1, flags=5, method="GET", path="/v1/chunks")
            h2.frame(h2.WINDOW, 0, 1, struct.pack(">I", 1))
            assert h2.read_until(h2.DATA, 1) == b"{"
            wait_for(lambda: p.metric("pg_intake_loaders_busy") == 0, "rest")
            is_well(p)
            h2.frame(h2.WINDOW, 0, 1, struct.pack(">I", 1000))
            assert b"body" in h2.read_until(h2.DATA, 1)


def test_many_streams_with_slow_bodies_leave_loaders_for_others():
    with Program(loaders=4, max_queue=1000, body_timeout_ms=2500) as p:
        held = [H2(p.port) for _ in range(10)]
        for h2 in held:
            for stream in range(1, 60, 2):
                h2.headers(stream)
                h2.frame(h2.DATA, 0, stream, b"a")
        wait_for(lambda: len([r for r in p.requests if r["preflight"]]) ==
                 300, "the preflights")
        begun = time.monotonic()
        is_well(p)
        assert time.monotonic() - begun < 2
        for h2 in held:
            h2.read_until(h2.HEADERS)
        wait_for(lambda: len([e for e in p.ended if e[0] == "X" and
                              e[1]["status"] == 408]) == 300, "the ends")
        for h2 in held:
            h2.raw.sock.close()


def test_trailers_change_nothing():
    with Program() as p:
        with p.connect() as raw:
            raw.send(HEAD % ("PUT", "/v1/echo",
                             "Transfer-Encoding: chunked\r\n") +
                     "1\r\na\r\n0\r\nContent-Length: 100\r\nHost: y\r\n"
                     "Authorization: Bearer wrong\r\n\r\n" +
                     HEAD % ("GET", "/v1/echo?2", ""))
            answer = raw.answer()
            assert answer.status == 200 and answer.json()["body"][0] == 1
            assert answer.json()["host"] == "x"
            assert raw.answer().json()["query"] == "2"
        with H2(p.port) as h2:
            h2.headers(1)
            h2.frame(h2.DATA, 0, 1, b"a")
            h2.frame(h2.HEADERS, 5, 1, H2.fields(
                [("authorization", "Bearer wrong"), ("host", "y")] +
                [("x%d" % i, "a" * 100) for i in range(100)]))
            answer = json.loads(h2.read_until(h2.DATA, 1))
            assert answer["body"][0] == 1 and answer["host"] == "x"
        for bad in ([(":path", "/")], [("X", "a")], [("connection", "close")]):
            with H2(p.port) as h2:
                h2.headers(1)
                h2.frame(h2.DATA, 0, 1, b"a")
                h2.frame(h2.HEADERS, 5, 1, H2.fields(bad))
                h2.read_until(h2.RST, 1)
        # a second head is none, and neither is one in the middle
        with H2(p.port) as h2:
            h2.headers(1)
            h2.frame(h2.HEADERS, 4, 1, H2.fields([("x", "a")]))
            while h2.read()[0] not in (h2.RST, h2.GOAWAY):
                pass


def test_http_1_0_is_not_told_to_go_on():
    with Program() as p, p.connect() as raw:
        raw.send("PUT /v1/echo HTTP/1.0\r\nExpect: 100-continue\r\n"
                 "Content-Length: 3\r\n\r\n")
        wait_for(lambda: p.requests, "the preflight")
        raw.send("abc")
        status, headers = raw.read_head()
        assert status == 200 and headers["connection"] == "close"
        assert json.loads(raw.rest())["body"][0] == 3


TARGETS = ["*", "http://", "http:///v1", "http://x", "http://u@x/", "//",
           "http://u:p@x/", "http://x:99999999/", "http://[::1/", "x:80",
           "HTTP://y/", "/a b", "/\\", "/{", "?a=b", ""]
HOSTS = ["x:", "x:1:2", "[::1", "[::1]x", "[]", "x y", "x,y", "http://x", "/",
         "x:999999", "%zz", "\u0416", "x\tx"]


def test_targets_and_hosts_have_one_reading():
    with Program() as p:
        for target in TARGETS:
            with p.connect() as raw:
                raw.send(HEAD % ("OPTIONS", target, ""))
                status, _ = raw.read_head()
                # two slashes are a path, of two empty segments
                assert status == (200 if target == "//" else 400), target
        for host in HOSTS:
            with p.connect() as raw:
                raw.send("GET /v1/echo HTTP/1.1\r\nHost: %s\r\n\r\n" % host)
                status, _ = raw.read_head()
                assert status == (200 if host == "x:" else 400), host


def test_many_members_of_an_encoding_cost_little():
    empty = gzip.compress(b"")
    with Program(inflated_bytes=1 << 20) as p:
        begun = time.monotonic()
        answer = p.request("PUT", "/v1/echo", empty * 100000,
                           ["Content-Encoding: gzip"])
        assert answer.status == 200 and answer.json()["body"][0] == 0
        answer = p.request("PUT", "/v1/echo", empty * 1000 +
                           gzip.compress(b"\0" * (2 << 20)),
                           ["Content-Encoding: gzip"])
        assert answer.status == 413
        # a bomb in a bomb is taken apart once
        inner = gzip.compress(gzip.compress(b"\0" * (50 << 20)))
        answer = p.request("PUT", "/v1/echo", inner,
                           ["Content-Encoding: gzip"])
        assert answer.status == 200
        assert answer.json()["body"][0] < 1 << 20
        if not os.environ.get("INTAKE_VALGRIND"):
            assert time.monotonic() - begun < 10
        is_well(p)


def test_requests_sent_ahead_of_a_slow_one_cost_little():
    with Program(loaders=2) as p, p.connect() as raw:
        raw.send(HEAD % ("PUT", "/v1/hold", "Content-Length: 0\r\n"))
        wait_for(lambda: p.requests, "the loader")
        n = 50000
        sender = threading.Thread(
            target=raw.send, args=(HEAD % ("GET", "/actuator/health", "") * n,
                                   ))
        sender.start()
        sender.join(1)
        is_well(p)
        assert p.rss_mb() < 30, p.rss_mb()
        p.release.set()
        assert raw.answer().status == 200
        for _ in range(n):
            assert raw.answer().status == 200
        sender.join()


def test_tls_is_not_negotiated_again():
    with Program(tls=PAIR) as p:
        out = subprocess.run(
            ["openssl", "s_client", "-tls1_2", "-connect",
             "127.0.0.1:%d" % p.port], input=b"R\n", timeout=20,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
        assert b"RENEGOTIATING" in out and b"no renegotiation" in out, out
        assert p.curl(scheme="https")[0] == 0


def test_a_slow_handshake_has_a_time_limit():
    with Program(tls=PAIR, header_timeout_ms=1000) as p:
        begun = time.monotonic()
        with p.connect() as raw:
            raw.sock.settimeout(0.05)
            # the beginning of a ClientHello, a byte at a time
            for byte in b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 100:
                try:
                    raw.send(bytes([byte]))
                    if not raw.sock.recv(1):
                        break
                except (socket.timeout, TimeoutError):
                    pass
                except OSError:
                    break
        assert time.monotonic() - begun < 15
        context = client(p)
        with p.connect() as raw, context.wrap_socket(raw.sock) as s:
            s.sendall(b"GET /v1/ec")
            assert b"408" in s.recv(1000)
