#!/usr/bin/env python3
"""crowd.py PORT IDLE SLOW PATH

A crowd for the gateway: IDLE connections that send nothing, and SLOW ones
that send a byte a second, every other one inside the head of its request, the
rest inside its body, a POST to PATH.  Prints "here" when all are there, and
"N lost" at the end of its input, for connections that the other side closed.
"""

import resource
import select
import socket
import sys

port, idle, slow = map(int, sys.argv[1:4])
path = sys.argv[4]

HEAD = ("POST %s HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/x-ndjson\r\n"
        "Content-Length: 100000\r\n" % path).encode()


def connect():
    s = socket.create_connection(("127.0.0.1", port), 20)
    s.setblocking(False)
    return s


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sockets = [connect() for _ in range(idle + slow)]
    sending = []
    for i, s in enumerate(sockets[idle:]):
        if i % 2:
            s.send(HEAD + b"\r\n")
            sending.append((s, b"[1]\n"))
        else:
            sending.append((s, HEAD))
    print("here", flush=True)
    second = 0
    lost = set()
    while not select.select([sys.stdin], [], [], 1)[0]:
        for s, text in sending:
            try:
                s.send(text[second % len(text)].to_bytes(1, "big"))
            except OSError:
                lost.add(s)
        second += 1
    for s in sockets:
        try:
            if s not in lost and s.recv(1) == b"":
                lost.add(s)
        except BlockingIOError:
            pass
        except OSError:
            lost.add(s)
    print("%d lost" % len(lost), flush=True)


main()
