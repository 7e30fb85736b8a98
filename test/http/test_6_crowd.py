"""Many idle and slow connections, and normal service beside them."""

import json
import os
import resource
import select
import socket
import struct
import time

from harness import H2, Program, Raw, wait_for

IDLE = int(os.environ.get("INTAKE_HTTP_IDLE", "200"))
SLOW = int(os.environ.get("INTAKE_HTTP_SLOW", "60"))
ASKING = 500
STREAMS = 32
SECONDS = 5
MOST_MB = 64


def time_uploads(p):
    """The best of some: the machine is not ours alone."""
    best = None
    body = b"x" * (4 << 20)
    for _ in range(7):
        begun = time.monotonic()
        assert p.request("PUT", "/v1/echo", body).status == 200
        took = time.monotonic() - begun
        best = took if best is None else min(best, took)
    return best


def drip(clients):
    """A byte a second from each."""
    for raw, data in clients:
        if data:
            raw.send(data.pop(0))


def allow_descriptors(need):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < need:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, need), hard))
    return True


def test_a_crowd_is_held_beside_normal_service():
    if os.environ.get("INTAKE_VALGRIND"):
        return "valgrind"
    if not allow_descriptors(IDLE + SLOW + 100):
        return "too few descriptors"
    with Program(loaders=4, max_connections=IDLE + SLOW + 50,
                 header_timeout_ms=600000, body_timeout_ms=600000,
                 idle_timeout_ms=600000, max_queue=1000) as p:
        alone = time_uploads(p)
        idle = [Raw(p.port) for _ in range(IDLE)]
        slow = []
        for i in range(SLOW):
            head = "PUT /v1/echo HTTP/1.1\r\nHost: x\r\n" \
                "Content-Length: 1000\r\n\r\n"
            raw = Raw(p.port)
            if i % 2:
                raw.send(head)
                slow.append((raw, ["a"] * 1000))
            else:
                slow.append((raw, list(head)))
        wait_for(lambda: p.metric("pg_intake_http_connections") ==
                 IDLE + SLOW + 1, "the crowd")
        begun = time.monotonic()
        beside = None
        for second in range(SECONDS):
            drip(slow)
            took = time_uploads(p)
            beside = took if beside is None else min(beside, took)
            time.sleep(max(0, begun + second + 1 - time.monotonic()))
        print("# %d idle, %d slow: %.0f MB, 4 MB in %.1f ms alone, "
              "%.1f ms beside them" % (IDLE, SLOW, p.rss_mb(), alone * 1000,
                                       beside * 1000))
        assert p.rss_mb() <= MOST_MB, p.rss_mb()
        assert beside < alone * 3 + 0.02, (alone, beside)
        assert p.metric("pg_intake_http_connections") == IDLE + SLOW + 1
        for raw in idle:
            raw.sock.close()
        for raw, _ in slow:
            raw.sock.close()
        # those that were inside a body are all recorded as broken off
        wait_for(lambda: len([e for e in p.ended if e[0] == "X"]) ==
                 SLOW // 2, "the ends")


def ask(port):
    """A client of HTTP/2 that reads no answer: its window stays shut."""
    client = H2(port, struct.pack(">HI", 4, 0))
    for stream in range(1, 2 * STREAMS, 2):
        client.headers(stream, "GET", "/metrics", flags=5)
    client.frame(client.PING, 0, 0, b"all sent")
    return client


def test_what_a_crowd_leaves_unread_is_bounded_and_given_back():
    if os.environ.get("INTAKE_VALGRIND"):
        return "valgrind"
    if not allow_descriptors(ASKING + 100):
        return "too few descriptors"
    with Program(max_connections=ASKING + 50) as p:
        p.metric("pg_intake_http_connections")
        before = p.rss_mb()
        clients = [ask(p.port) for _ in range(ASKING)]
        for client in clients:
            client.read_until(client.PING, flags=1)
        beside = p.rss_mb()
        for client in clients:
            # a reset: one that only ends may yet read
            client.raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
            client.raw.sock.close()
        wait_for(lambda: p.metric("pg_intake_http_connections") == 1,
                 "their end")
        wait_for(lambda: p.rss_mb() < before + 8, "their memory")
        print("# %d clients that read nothing: %.0f MB, %.0f before, "
              "%.0f after" % (ASKING, beside, before, p.rss_mb()))
        assert beside <= MOST_MB, beside
