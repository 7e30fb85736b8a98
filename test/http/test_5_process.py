"""The process: what it holds, what it may do, when it ends."""

import os
import re
import signal
import socket
import subprocess
import time

from harness import PROGRAM, Program, free_port, wait_for

IS_VALGRIND = bool(os.environ.get("INTAKE_VALGRIND"))


def status_of(p):
    with open("/proc/%d/status" % p.process.pid) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f
                    if ":\t" in line)


def test_it_is_confined():
    if IS_VALGRIND:
        return "valgrind"
    with Program() as p:
        assert p.request("GET", "/v1/echo").status == 200
        status = status_of(p)
        assert status["NoNewPrivs"] == "1"
        if os.uname().machine in ("x86_64", "aarch64"):
            assert status["Seccomp"] == "2"
        assert status["SigBlk"] == "0" * 16
        # SIGPIPE is ignored, nothing else; the gateway ignored SIGTERM here
        assert int(status["SigIgn"], 16) == 1 << (signal.SIGPIPE - 1)
        assert os.getsid(p.process.pid) == p.process.pid


def test_it_has_no_descriptor_but_its_own():
    if IS_VALGRIND:
        return "valgrind"
    if os.getuid() != 0:
        # PR_SET_DUMPABLE: not even its own user may look
        with Program() as p:
            try:
                os.listdir("/proc/%d/fd" % p.process.pid)
                raise AssertionError("/proc/PID/fd can be read")
            except PermissionError:
                return
    with Program(loaders=0) as p:
        fds = os.listdir("/proc/%d/fd" % p.process.pid)
        # the harness left some at higher numbers; the loop makes a few
        assert max(int(fd) for fd in fds) < 20, fds
        names = sorted(os.readlink("/proc/%d/fd/%s" % (p.process.pid, fd))
                       for fd in fds)
        names = [n for n in names
                 if not n.startswith(("socket:", "anon_inode:", "pipe:"))]
        assert len([n for n in names if n == "/dev/null"]) == 2
        assert len(names) == 3, names      # and standard error


def test_it_ends_with_the_gateway():
    p = Program()
    with p:
        with p.connect() as raw:
            raw.send("PUT /v1/hold HTTP/1.1\r\nHost: x\r\n"
                     "Content-Length: 0\r\n\r\n")
            wait_for(lambda: p.requests, "a request")
            p.control.shutdown(socket.SHUT_RDWR)
            assert p.process.wait(20) == 0
            assert raw.is_closed()
        wait_for(lambda: not p.loaders or p.release.set(), "the loaders")


def test_a_signal_ends_it():
    if IS_VALGRIND:
        return "valgrind"
    p = Program()
    try:
        with p:
            p.process.send_signal(signal.SIGTERM)
            p.process.wait(20)
    except AssertionError:
        pass
    assert p.process.returncode == -signal.SIGTERM


def test_it_is_started_by_a_gateway_only():
    done = subprocess.run([PROGRAM], stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"gateway" in done.stderr
    done = subprocess.run([PROGRAM, "--help"], stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"no arguments" in done.stderr


def test_a_reload_moves_the_port_and_drops_nothing():
    with Program(loaders=2) as p:
        old = p.port
        with p.connect() as raw, p.connect() as other:
            raw.send("PUT /v1/hold HTTP/1.1\r\nHost: x\r\n"
                     "Content-Length: 0\r\n\r\n")
            wait_for(lambda: p.requests, "a request")
            p.port = free_port()
            p.configure()
            p.wait_listening()
            assert p.request("GET", "/actuator/health").status == 200
            assert other.request("GET", "/actuator/health").status == 200
            try:
                socket.create_connection(("127.0.0.1", old), 5).close()
                raise AssertionError("the old port is open")
            except ConnectionRefusedError:
                pass
            p.release.set()
            assert raw.answer().status == 200


def test_port_0_drains_and_closes():
    with Program(loaders=2) as p:
        with p.connect() as raw, p.connect() as idle:
            assert idle.request("GET", "/actuator/health").status == 200
            raw.send("PUT /v1/hold HTTP/1.1\r\nHost: x\r\n"
                     "Content-Length: 0\r\n\r\n")
            wait_for(lambda: p.requests, "a request")
            p.configure(port=0)
            wait_for(lambda: p.get("K")[-1]["listening"] == [], "no port")
            assert idle.is_closed()
            p.release.set()
            answer = raw.answer()
            assert answer.status == 200
            assert answer.headers["connection"] == "close"
            assert raw.is_closed()
        p.configure()
        wait_for(lambda: p.get("K")[-1]["listening"], "the port again")
        assert p.request("GET", "/v1/echo").status == 200


def test_a_port_in_use_is_tried_again():
    with Program() as p, socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        p.port = s.getsockname()[1]
        p.configure()
        wait_for(lambda: p.get("K")[-1]["failed"], "the failure")
        assert "in use" in p.get("K")[-1]["failed"][0]["error"]
        s.close()
        p.wait_listening()


def test_it_finishes_within_its_grace():
    p = Program(loaders=2)
    with p:
        with p.connect() as raw, p.connect() as idle:
            raw.send("PUT /v1/hold HTTP/1.1\r\nHost: x\r\n"
                     "Content-Length: 0\r\n\r\n")
            wait_for(lambda: p.requests, "a request")
            p.send("Z", {"grace_ms": 20000})
            assert idle.is_closed()
            p.release.set()
            assert raw.answer().status == 200
        assert p.process.wait(20) == 0
        # what happened in the last second is counted
        wait_for(lambda: any(r["route"] == "v1" and r["count"] == 1
                             for s in p.get("S")[-1:]
                             for r in s["requests"]), "the last counters")
        assert p.get("S")[-1]["connections"] == 0
    p = Program(loaders=1)
    with p:
        with p.connect() as raw:
            raw.send("PUT /v1/hold HTTP/1.1\r\nHost: x\r\n"
                     "Content-Length: 0\r\n\r\n")
            wait_for(lambda: p.requests, "a request")
            p.send("Z", {"grace_ms": 300})
            assert p.process.wait(20) == 0


def test_nonsense_from_the_gateway_changes_nothing():
    with Program() as p:
        for payload in (b"{", b"[]", b'{"port": 70000}', b'{"listen": [1]}',
                        b'{"tls": {}}'):
            n = len(p.get("L"))
            p.send("F", payload)
            wait_for(lambda: len(p.get("L")) > n, "a warning")
        p.send("U", b"nonsense")
        p.send("Y", b"unknown")
        assert p.request("GET", "/v1/echo").status == 200
