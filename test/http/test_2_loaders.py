"""Loaders, limits, time: what happens between head and answer."""

import gzip
import hashlib
import re
import socket
import struct
import threading
import time
import zlib

from harness import Loader, Program, pack, wait_for

HEAD = "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n"


def echo_of(body):
    return [len(body), hashlib.sha256(body).hexdigest()]


def put(path, fields=""):
    return HEAD % ("PUT", path, fields)


def zstd(data, **options):
    import zstandard
    return zstandard.ZstdCompressor(**options).compress(data)


def test_100_continue_follows_the_preflight():
    with Program() as p, p.connect() as raw:
        raw.send(put("/v1/holdhead", "Expect: 100-continue\r\n"
                     "Content-Length: 3\r\n"))
        wait_for(lambda: p.requests, "the preflight")
        assert p.requests[0]["preflight"]
        raw.sock.setblocking(False)
        try:
            raw.sock.recv(1)
            raise AssertionError("an answer before the loader's")
        except BlockingIOError:
            pass
        raw.sock.settimeout(20)
        p.release.set()
        assert raw.read_head()[0] == 100
        raw.send("abc")
        assert raw.answer().json()["body"] == echo_of(b"abc")


def test_a_refused_preflight_asks_for_no_body():
    with Program() as p, p.connect() as raw:
        raw.send(put("/v1/echo", "Expect: 100-continue\r\n"
                     "Authorization: Bearer wrong\r\n"
                     "Content-Length: 3\r\n"))
        status, headers = raw.read_head()
        assert status == 401 and headers["www-authenticate"] == "Bearer"
        assert len(p.requests) == 1


def test_a_body_that_came_along_needs_no_100_continue():
    with Program() as p, p.connect() as raw:
        raw.send(put("/v1/echo", "Expect: 100-continue\r\n"
                     "Content-Length: 3\r\n") + "abc")
        assert raw.read_head()[0] == 200
        assert len(p.requests) == 1


def test_an_early_failure_is_read_by_a_client_that_goes_on():
    with Program(drain_ms=2000) as p:
        with p.connect() as raw:
            raw.send(put("/v1/early", "Content-Length: 10000000\r\n") +
                     "x" * 100000)
            answer = raw.answer()
            assert answer.status == 422
            assert answer.headers["connection"] == "close"
            assert raw.is_closed()
        status, out = p.curl("-T", "-", "-o", "/dev/null",
                             "-w", "%{http_code}", path="/v1/early",
                             data=b"x" * (8 << 20))
        assert out == b"422", (status, out)
        # the loader that left a body unread serves the next one
        assert p.request("PUT", "/v1/echo", b"abc").status == 200


def test_encodings_are_taken_off():
    data = b"0123456789" * 100000
    half = len(data) // 2
    forms = [
        ("gzip", gzip.compress(data)),
        ("x-gzip", gzip.compress(data)),
        ("gzip", gzip.compress(data[:half]) + gzip.compress(data[half:])),
        ("identity", data),
    ]
    try:
        forms += [("zstd", zstd(data)),
                  ("zstd", zstd(data[:half]) + zstd(data[half:]))]
    except ImportError:
        pass
    with Program() as p, p.connect() as raw:
        for coding, body in forms:
            answer = raw.request("PUT", "/v1/echo", body,
                                 ["Content-Encoding: " + coding])
            assert answer.status == 200, (coding, answer.body)
            assert answer.json()["body"] == echo_of(data), coding
            assert answer.json()["raw"] == len(body)


def test_digests_are_of_the_bytes_that_came():
    import base64
    body = gzip.compress(b"abc")
    with Program() as p:
        answer = p.request("PUT", "/v1/echo", body,
                           ["Content-Encoding: gzip", "Repr-Digest: x=::"])
        for name, algorithm in (("sha-256", hashlib.sha256),
                                ("sha-512", hashlib.sha512)):
            assert answer.json()["digests"][name] == \
                base64.b64encode(algorithm(body).digest()).decode()
        answer = p.request("PUT", "/v1/echo", body, ["Repr-Digest: x=::"])
        assert answer.json()["digests"] is None


def test_bodies_that_are_not_what_they_say_are_400():
    good = gzip.compress(b"abc" * 1000)
    with Program() as p:
        for coding, body in (("gzip", b"no gzip at all"),
                             ("gzip", good[:-5]),
                             ("gzip", good + b"trailing"),
                             ("gzip", good[:20] + b"\xff" * 20 + good[40:]),
                             ("zstd", b"no zstd"),
                             ("zstd", b"\x28\xb5\x2f\xfd")):
            answer = p.request("PUT", "/v1/echo", body,
                               ["Content-Encoding: " + coding])
            assert answer.status == 400, (coding, body, answer.status)
        assert all(k == "X" and not last["disconnect"]
                   for k, last, _ in p.ended)


def test_a_bomb_stops_at_the_limit():
    with Program(inflated_bytes=1 << 20) as p:
        bombs = [("gzip", gzip.compress(b"\0" * (50 << 20)))]
        try:
            bombs.append(("zstd", zstd(b"\0" * (50 << 20))))
        except ImportError:
            pass
        for coding, body in bombs:
            answer = p.request("PUT", "/v1/echo", body,
                               ["Content-Encoding: " + coding])
            assert answer.status == 413, (coding, answer.status)
            assert p.ended[-1][2][0] <= (1 << 20) + 65536
        assert p.rss_mb() < 64


def test_a_window_larger_than_8_mb_is_refused():
    try:
        import zstandard
    except ImportError:
        return "no python3-zstandard"
    params = zstandard.ZstdCompressionParameters(window_log=27)
    body = zstandard.ZstdCompressor(compression_params=params).compressobj()
    body = body.compress(b"a" * (20 << 20)) + body.flush()
    with Program() as p:
        answer = p.request("PUT", "/v1/echo", body,
                           ["Content-Encoding: zstd"])
        assert answer.status == 400


def test_bodies_have_a_largest_size():
    with Program(body_bytes=1000) as p:
        assert p.request("PUT", "/v1/echo", b"x" * 1000).status == 200
        with p.connect() as raw:
            raw.send(put("/v1/echo", "Content-Length: 1001\r\n"
                         "Expect: 100-continue\r\n"))
            assert raw.read_head()[0] == 413
        with p.connect() as raw:
            raw.send(put("/v1/echo", "Transfer-Encoding: chunked\r\n") +
                     "3e9\r\n" + "x" * 1001)
            assert raw.answer().status == 413
        assert len(p.requests) == 1


def test_a_client_that_says_nothing_is_sent_away():
    with Program(idle_timeout_ms=1000, header_timeout_ms=1000) as p:
        with p.connect() as raw:
            assert raw.is_closed()
        with p.connect() as raw:
            assert raw.request("GET", "/v1/echo").status == 200
            assert raw.is_closed()
        with p.connect() as raw:
            raw.send("GET / HTTP/1.1\r\n")
            assert raw.answer().status == 408


def test_the_time_for_a_head_runs_from_its_first_byte():
    with Program(header_timeout_ms=500) as p, p.connect() as raw:
        begun = time.monotonic()
        raw.sock.settimeout(0.05)
        for c in "GET / HTTP/1.1\r\nHost: x\r\nX: " + "a" * 1000:
            try:
                raw.send(c)
                if raw.sock.recv(1):
                    break
            except (socket.timeout, TimeoutError):
                pass
            except OSError:
                break
        assert time.monotonic() - begun < 5


def test_silence_in_a_body_is_408_and_counts_as_a_disconnect():
    with Program(body_timeout_ms=1200) as p:
        with p.connect() as raw:
            raw.send(put("/v1/echo", "Content-Length: 3\r\n") + "a")
            answer = raw.answer()
            assert answer.status == 408, answer.status
            kind, last, body = p.ended[0]
            assert kind == "X" and last["disconnect"] and body[0] == 1
        with p.connect() as raw:
            raw.send(put("/v1/echo", "Content-Length: 3\r\n"))
            assert raw.answer().status == 408


def test_an_upload_has_a_longest_time():
    with Program(max_upload_duration_ms=1500) as p, p.connect() as raw:
        raw.send(put("/v1/echo", "Transfer-Encoding: chunked\r\n"))
        raw.sock.settimeout(0.1)
        for _ in range(100):
            try:
                raw.send("1\r\na\r\n")
                if raw.more():
                    break
            except (socket.timeout, TimeoutError):
                pass
        raw.sock.settimeout(20)
        answer = raw.answer()
        assert answer.status == 408
        assert p.ended[0][1]["disconnect"] is False


def test_an_upload_has_a_slowest_rate():
    with Program(min_upload_rate=1000) as p, p.connect() as raw:
        raw.send(put("/v1/echo", "Transfer-Encoding: chunked\r\n"))
        raw.sock.settimeout(0.2)
        begun = time.monotonic()
        while time.monotonic() < begun + 30:
            try:
                raw.send("1\r\na\r\n")
                if raw.more():
                    break
            except (socket.timeout, TimeoutError):
                pass
        raw.sock.settimeout(20)
        assert raw.answer().status == 408
        assert "slow" in p.ended[0][1]["reason"]
        assert p.metric('pg_intake_http_rejected_total{reason="slow"}') == 1
        assert not p.logs()


def reset(raw):
    """Closes the connection by a reset."""
    raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    raw.sock.close()


def disconnect_cases():
    return [("length", put("/v1/echo", "Content-Length: 10\r\n") + "abcde"),
            ("chunks", put("/v1/echo", "Transfer-Encoding: chunked\r\n") +
             "5\r\nabcde\r\n"),
            ("inside a chunk", put("/v1/echo",
                                   "Transfer-Encoding: chunked\r\n") +
             "9\r\nabcde")]


def test_a_client_that_goes_away_is_told_with_all_that_it_sent():
    for name, data in disconnect_cases():
        with Program() as p:
            with p.connect() as raw:
                raw.send(data)
                wait_for(lambda: len(p.requests) > 0, name)
                reset(raw)
            wait_for(lambda: p.ended, name)
            kind, last, body = p.ended[0]
            assert kind == "X" and last["disconnect"], name
            assert list(body) == echo_of(b"abcde"), name


def test_a_client_that_goes_away_at_once_is_recorded_too():
    for _, data in disconnect_cases():
        with Program() as p:
            with p.connect() as raw:
                raw.send(data)
            wait_for(lambda: p.ended, "the end")
            assert p.ended[0][0] == "X" and p.ended[0][2][0] == 5
            wait_for(lambda: p.metric(
                "pg_intake_http_connections") == 1, "no connection")


def test_a_half_closed_connection_gets_its_answer():
    for _, data in disconnect_cases():
        with Program() as p, p.connect() as raw:
            raw.send(data).finish()
            answer = raw.answer()
            assert answer.status == 408
            assert answer.json()["body"] == echo_of(b"abcde")
            assert raw.is_closed()
    with Program() as p, p.connect() as raw:
        raw.send(put("/v1/echo", "Content-Length: 3\r\n") + "abc" +
                 HEAD % ("GET", "/v1/echo?2", "")).finish()
        assert raw.answer().json()["body"] == echo_of(b"abc")
        assert raw.answer().json()["query"] == "2"
        assert raw.is_closed()


def fill(raw, data):
    """Sends until the other side takes no more for a while."""
    sent = 0
    raw.sock.setblocking(False)
    idle_since = time.monotonic()
    while sent < len(data) and time.monotonic() < idle_since + 1:
        try:
            sent += raw.sock.send(data[sent:sent + 65536])
            idle_since = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    raw.sock.settimeout(60)
    return sent


def test_a_client_that_goes_away_while_it_is_held_back_is_noticed():
    size = 32 << 20
    room = 800000           # more than is read, less than sockets hold
    for is_reset in (False, True):
        with Program(loaders=2, buffer_bytes=1 << 17) as p:
            with p.connect() as raw:
                raw.send(put("/v1/stuck", "Content-Length: %d\r\n" % size))
                if is_reset:
                    sent = fill(raw, b"x" * size)
                    assert room < sent < size, sent
                else:
                    # what waits at the client would hold its end back
                    sent = room
                    raw.send(b"x" * sent)
                if is_reset:
                    reset(raw)
            # a reset: at once; an end: at the loader all that was sent is
            if is_reset:
                wait_for(lambda: p.metric("pg_intake_http_connections") == 1,
                         "the end of the connection")
            else:
                wait_for(lambda: p.metric(
                    "pg_intake_http_bytes_received_total") >= sent, "bytes")
            assert p.metric("pg_intake_loaders_busy") == 1
            p.release.set()
            wait_for(lambda: p.ended, "the end of the body")
            kind, last, body = p.ended[0]
            assert kind == "X" and last["disconnect"]
            assert body[0] == sent or is_reset, (body, sent)


def test_a_client_that_waits_in_the_queue_and_goes_is_noticed():
    with Program(loaders=1, queue_timeout_ms=600000) as p:
        with p.connect() as held:
            held.send(put("/v1/hold", "Content-Length: 0\r\n"))
            wait_for(lambda: p.requests, "the loader")
            with p.connect() as raw:
                raw.send(put("/v1/echo", "Content-Length: 10000000\r\n"))
                raw.send(b"x" * 100000)
                wait_for(lambda: p.metric("pg_intake_http_queue") == 1,
                         "the queue")
                reset(raw)
            wait_for(lambda: p.metric("pg_intake_http_connections") == 2,
                     "the end of the connection")
            p.release.set()
            assert held.answer().status == 200
            wait_for(lambda: p.ended, "the end of the body")
            kind, last, body = p.ended[0]
            assert kind == "X" and last["disconnect"] and body[0] <= 100000


def test_a_half_closed_client_that_is_held_back_is_served():
    size = 3 << 20
    with Program(loaders=2) as p:
        for chunked in (False, True):
            p.release.clear()
            with p.connect() as raw:
                if chunked:
                    raw.send(put("/v1/stuck",
                                 "Transfer-Encoding: chunked\r\n"))
                    raw.send(b"%x\r\n" % size)
                else:
                    raw.send(put("/v1/stuck",
                                 "Content-Length: %d\r\n" % size))
                sender = threading.Thread(target=lambda: raw.send(
                    b"x" * size + (b"\r\n0\r\n\r\n" if chunked else b"")
                ).finish())
                sender.start()
                wait_for(lambda: p.metric("pg_intake_loaders_busy") == 1,
                         "the loader")
                sender.join(3)
                p.release.set()
                assert raw.answer().json()["body"][0] == size
                sender.join()
                assert raw.is_closed()


def test_a_half_closed_client_that_reads_late_gets_all_of_its_answers():
    get = HEAD % ("GET", "/v1/big", "")
    size = 8 << 20
    with Program(loaders=2, buffer_bytes=32 << 20) as p, p.connect() as raw:
        raw.send(get)
        assert raw.read_head()[0] == 200
        wait_for(lambda: p.metric("pg_intake_loaders_busy") == 0, "answer")
        raw.send(get * 2).finish()
        time.sleep(1.2)         # the server looks twice a second
        assert raw.exactly(size) == b"x" * size
        for _ in range(2):
            assert len(raw.answer().body) == size
        assert raw.is_closed()
    with Program(loaders=2, buffer_bytes=32 << 20) as p, p.connect() as raw:
        raw.send(get)
        assert raw.read_head()[0] == 200
        wait_for(lambda: p.metric("pg_intake_loaders_busy") == 0, "answer")
        raw.finish()
        time.sleep(0.2)
        assert raw.exactly(size) == b"x" * size
        assert raw.is_closed()


def test_random_deaths_never_lose_or_invent_an_end():
    body = b"".join(b"%04x\n" % i for i in range(20000))
    with Program(loaders=4, max_queue=1000) as p:
        for i in range(60):
            cut = (i * 7919) % len(body)
            is_chunked = i % 2
            with p.connect() as raw:
                if is_chunked:
                    raw.send(put("/v1/echo?%d" % i,
                                 "Transfer-Encoding: chunked\r\n"))
                    raw.send(b"%x\r\n" % len(body) + body[:cut])
                else:
                    raw.send(put("/v1/echo?%d" % i,
                                 "Content-Length: %d\r\n" % len(body)))
                    raw.send(body[:cut])
        wait_for(lambda: len(p.ended) == 60, "all ends")
        for kind, last, got in p.ended:
            assert kind == "X" and last["disconnect"]
            assert list(got) == echo_of(body[:got[0]])


def test_a_loader_that_dies_is_503_before_the_head_and_a_break_behind_it():
    with Program(loaders=4) as p:
        answer = p.request("PUT", "/v1/die", b"abc")
        assert answer.status == 503 and answer.headers["retry-after"]
        with p.connect() as raw:
            raw.send(put("/v1/dielate", "Content-Length: 0\r\n"))
            assert raw.read_head()[0] == 200
            p.release.set()
            assert not raw.rest().endswith(b"0\r\n\r\n")
        assert p.request("GET", "/v1/echo").status == 200


def test_nonsense_from_a_loader_ends_it_only():
    with Program(loaders=1) as p:
        for nonsense in (b"\xff\xff\xff\xff", b"\0\0\0\0", pack("Y", {}),
                         pack("R", b"{"), pack("B", b"x"), pack("T", {}),
                         pack("G", {}), pack("R", {"status": 99})):
            class Bad(Loader):
                def serve(self, request, nonsense=nonsense):
                    self.sock.sendall(nonsense)
            for loader in list(p.loaders):
                try:
                    loader.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass            # it has ended already
            p.wait_loaders(0)
            Bad(p)
            p.wait_loaders(1)
            assert p.request("PUT", "/v1/echo", b"a").status == 503, nonsense
            p.wait_loaders(0)


def test_a_full_queue_is_503_and_a_long_wait_too():
    with Program(loaders=1, max_queue=1, queue_timeout_ms=1500) as p:
        with p.connect() as a, p.connect() as b:
            a.send(put("/v1/hold", "Content-Length: 0\r\n"))
            wait_for(lambda: p.requests, "the loader")
            b.send(put("/v1/echo", "Content-Length: 0\r\n"))
            wait_for(lambda: p.metric("pg_intake_http_queue") == 1, "queue")
            answer = p.request("PUT", "/v1/echo", b"a")
            assert answer.status == 503
            assert "already" in answer.json()["detail"]
            answer = b.answer()
            assert answer.status == 503
            assert "in time" in answer.json()["detail"]
            p.release.set()
            assert a.answer().status == 200
            assert p.request("PUT", "/v1/echo", b"a").status == 200


def test_who_waits_is_told_when_the_gateway_is_not_ready():
    down = {"ready": False, "writable": True, "reason": "down"}
    standby = {"ready": True, "writable": False, "reason": "standby"}
    with Program(loaders=0, max_loaders=2, queue_timeout_ms=600000) as p:
        with p.connect() as write, p.connect() as read:
            write.send(put("/v1/echo", "Content-Length: 1\r\n") + "a")
            read.send(HEAD % ("GET", "/v1/echo", ""))
            wait_for(lambda: p.metric("pg_intake_http_queue") == 2, "queue")
            p.send("U", standby)
            answer = write.answer()
            assert answer.status == 503 and answer.headers["retry-after"]
            assert answer.json()["detail"] == "standby"
            assert p.metric("pg_intake_http_queue") == 1
            p.send("U", down)
            answer = read.answer()
            assert answer.status == 503 and answer.headers["retry-after"]
            assert answer.json()["detail"] == "down"
        # one that is gone is forgotten, one whose body comes later refused
        p.send("U", {"ready": True, "writable": True})
        wait_for(lambda: p.request("GET", "/actuator/health").status == 200,
                 "readiness")
        with p.connect() as later:
            later.send(put("/v1/echo", "Content-Length: 100000\r\n"
                           "Expect: 100-continue\r\n"))
            wait_for(lambda: p.metric("pg_intake_http_queue") == 1, "queue")
            p.add_loader()
            assert later.read_head()[0] == 100
            p.send("U", down)
            wait_for(lambda: p.request("GET", "/actuator/health").status ==
                     503, "the end of readiness")
            later.send("x" * 100000)
            assert later.answer().status == 503
        p.send("U", {"ready": True, "writable": True})
        wait_for(lambda: p.request("PUT", "/v1/echo", b"a").status == 200,
                 "readiness")


def test_who_waits_and_has_gone_is_forgotten_when_not_ready():
    with Program(loaders=0, max_loaders=2, queue_timeout_ms=600000) as p:
        with p.connect() as raw:
            raw.send(put("/v1/echo", "Content-Length: 10\r\n") + "a")
            wait_for(lambda: p.metric("pg_intake_http_queue") == 1, "queue")
            reset(raw)
        wait_for(lambda: p.metric("pg_intake_http_connections") == 1, "end")
        assert p.metric("pg_intake_http_queue") == 1
        p.send("U", {"ready": False, "reason": "down"})
        wait_for(lambda: p.metric("pg_intake_http_queue") == 0, "its end")


def test_loaders_are_asked_for_when_requests_wait():
    with Program(loaders=2, auto=True) as p:
        assert not p.get("N")
        assert p.request("PUT", "/v1/echo", b"a").status == 200
        assert p.get("N")[0]["wanted"] == 1
    with Program(loaders=0, max_loaders=2, auto=True) as p:
        with p.connect() as raw:
            raw.send(put("/v1/echo", "Content-Length: 0\r\n"))
            wait_for(lambda: len(p.get("N")) >= 3, "to be asked again")


def test_a_loader_may_retire_whenever_it_likes():
    with Program(loaders=1, auto=True) as p:
        for _ in range(3):
            assert p.request("PUT", "/v1/retire", b"abc").status == 200
            # a slow server may have asked for another one in the meantime
            wait_for(lambda: p.retired not in p.loaders, "its end")
        last = p.add_loader()
        last.send("C", {})
        wait_for(lambda: last not in p.loaders, "its end")
        assert p.request("GET", "/v1/echo").status == 200


def test_slow_bodies_leave_loaders_for_the_others():
    with Program(loaders=4) as p:
        slow = [p.connect() for _ in range(20)]
        for raw in slow:
            raw.send(put("/v1/echo", "Content-Length: 100\r\n") + "a")
        wait_for(lambda: len([r for r in p.requests
                              if not r["preflight"]]) == 2, "two visits")
        wait_for(lambda: len(p.requests) == 22, "the preflights")
        for _ in range(20):
            assert p.request("PUT", "/v1/echo", b"x" * 100000).status == 200
        # an answer's length is reached a moment before its end is told
        wait_for(lambda: p.metric("pg_intake_loaders_busy") == 2, "two busy")
        for raw in slow:
            raw.send("b" * 99)
        for raw in slow:
            assert raw.answer().json()["body"] == \
                echo_of(b"a" + b"b" * 99)
            raw.sock.close()


def test_a_slow_loader_stops_the_client():
    with Program(buffer_bytes=1 << 20) as p, p.connect() as raw:
        size = 64 << 20
        raw.send(put("/v1/stuck", "Content-Length: %d\r\n" % size))
        sent = 0
        raw.sock.setblocking(False)
        piece = b"x" * 65536
        idle_since = time.monotonic()
        while time.monotonic() < idle_since + 1:
            try:
                sent += raw.sock.send(piece[:size - sent])
                idle_since = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        assert sent < 24 << 20, sent
        assert p.rss_mb() < 64
        raw.sock.settimeout(60)
        p.release.set()
        while sent < size:
            sent += raw.sock.send(piece[:size - sent])
        assert raw.answer().json()["body"][0] == size


def test_a_client_that_reads_nothing_stops_the_loader():
    with Program(loaders=2, buffer_bytes=1 << 20) as p:
        many = [p.connect() for _ in range(2)]
        for raw in many:
            raw.send(HEAD % ("GET", "/v1/big", ""))
        wait_for(lambda: p.metric("pg_intake_loaders_busy") == 2, "answers")
        assert p.rss_mb() < 40
        for raw in many:
            assert len(raw.answer().body) == 8 << 20
            raw.sock.close()


def test_a_client_that_asks_and_never_reads_costs_little():
    with Program() as p, p.connect() as raw:
        n = 3000
        sender = threading.Thread(
            target=raw.send, args=(HEAD % ("GET", "/metrics", "") * n,))
        sender.start()
        wait_for(lambda: p.metric("pg_intake_http_bytes_sent_total") >
                 100000, "answers")
        assert p.rss_mb() < 30, p.rss_mb()
        for _ in range(n):
            assert raw.answer().status == 200
        sender.join()


def test_a_client_that_never_reads_is_cut_off():
    with Program(idle_timeout_ms=700) as p, p.connect() as raw:
        raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.send(HEAD % ("GET", "/v1/big", ""))
        wait_for(lambda: p.metric("pg_intake_http_connections") == 1, "end")
        wait_for(lambda: p.metric("pg_intake_loaders_busy") == 0, "rest")


def test_connections_have_a_limit_in_all_and_by_address():
    with Program(max_connections=10, max_connections_per_address=5,
                 addresses=("127.0.0.1", "::1")) as p:
        held = []
        for _ in range(5):
            held.append(p.connect())
            assert held[-1].request("GET", "/actuator/health").status == 200
        with p.connect() as raw:
            status, headers = raw.read_head()
            assert status == 429 and headers["retry-after"]
            assert raw.is_closed()
        try:
            other = socket.create_connection(("::1", p.port), 20)
        except OSError:
            return "no IPv6"
        other.close()
        held[0].sock.close()
        wait_for(lambda: p.request("GET", "/actuator/health").status == 200,
                 "a place")
        assert 'rejected_total{reason="connections_per_address"} ' in \
            held[1].request("GET", "/metrics").body.decode()


def test_requests_are_logged_as_wanted():
    for log, wanted in (("none", 0), ("errors", 1), ("all", 2)):
        with Program(log=log) as p:
            headers = ["Authorization: Bearer hush", "X-Request-Id: id7"]
            p.request("PUT", "/v1/echo?secret=1", b"hidden", headers)
            p.request("PUT", "/v1/early", b"hidden", headers)
            p.request("PUT", "/v1/logged", b"hidden", headers)
            p.request("GET", "/v1/echo")
            wait_for(lambda: p.get("S"), "counters")
            lines = [m for m in p.get("L") if "PUT" in m["message"]]
            assert len(lines) == wanted, lines
            text = str(lines)
            for secret in ("hush", "hidden", "secret"):
                assert secret not in text
            assert wanted == 0 or "id7" in text


def test_routes_and_statuses_beyond_the_last_series_are_counted_together():
    with Program() as p:
        with p.connect() as raw:
            for status in range(200, 560):
                raw.send(HEAD % ("GET", "/v1/series?many/%d" % status, ""))
                assert raw.answer().status == status
            text = raw.request("GET", "/metrics").body.decode()
        series = re.findall(r"requests_total\{(.*)\} (\d+)", text)
        assert len(series) == 256
        assert series[-1][0] == 'route="other",status="0"'
        # "metrics" is one of them, and comes too late to be counted apart
        assert int(series[-1][1]) + 255 == 360, series[-1]
        assert all(n == "1" for _, n in series[:-1])
        assert text.count('route="other",status="0",le="+Inf"') == 1
        wait_for(lambda: [s for s in p.get("S")
                          if sum(r["count"] for r in s["requests"]) >= 361],
                 "all of them")


def test_counters_go_to_the_gateway():
    with Program() as p:
        p.request("PUT", "/v1/echo", b"abc")
        wait_for(lambda: any(r["route"] == "v1" and r["count"] == 1
                             for s in p.get("S") for r in s["requests"]),
                 "the request")
        last = p.get("S")[-1]
        assert last["rows"] == 3 and last["loaders"] == 2
        assert last["bytes_in"] > 0 and last["certificate_expires"] is None
