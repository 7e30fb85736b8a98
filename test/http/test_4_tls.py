"""TLS: versions, ALPN, the wrong port, certificates that change."""

import json
import os
import ssl
import subprocess
import tempfile

from harness import H2, Program, wait_for


def make_pair(name, *options):
    """A certificate and its key in PEM, by openssl."""
    with tempfile.TemporaryDirectory() as d:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec",
                        "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "3", "-subj", "/CN=" + name, "-keyout",
                        d + "/key", "-out", d + "/cert", *options],
                       check=True, stderr=subprocess.DEVNULL)
        with open(d + "/cert") as c, open(d + "/key") as k:
            return {"certificate": c.read(), "key": k.read()}


PAIR = make_pair("first")


def client(p, **options):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, value in options.items():
        setattr(context, name, value)
    return context


def subject(p):
    raw = p.connect()
    with client(p).wrap_socket(raw.sock) as s:
        der = s.getpeercert(True)
    return "second" if b"second" in der else "first"


def test_https_is_served_over_both_versions():
    with Program(tls=PAIR) as p:
        for option, version in (("--http1.1", "1.1"), ("--http2", "2")):
            status, out = p.curl(option, "-T", "-", "-w", "\n%{http_version}",
                                 scheme="https", data=b"x" * 200000)
            answer, got = out.decode().rsplit("\n", 1)
            assert got == version, (status, out)
            assert json.loads(answer)["body"][0] == 200000
        assert p.requests[-1]["tls"] is True
        status, out = p.curl("-o", "/dev/null", "-w", "%{size_download}",
                             scheme="https", path="/v1/big")
        assert out == b"%d" % (8 << 20)
        status, out = p.curl(scheme="https", path="/metrics")
        assert b"certificate_expiry" in out
        wait_for(lambda: (p.get("S") or [{}])[-1].get("certificate_expires"),
                 "the certificate's end")


def test_versions_before_1_2_are_refused():
    with Program(tls=PAIR) as p:
        status, _ = p.curl("--tls-max", "1.1", "--tlsv1.0", "--ciphers",
                           "DEFAULT@SECLEVEL=0", scheme="https")
        assert status == 35, status
        for version in ("1.2", "1.3"):
            status, _ = p.curl("--tls-max", version, scheme="https")
            assert status == 0


def test_clear_text_at_the_tls_port_is_refused_and_logged_once():
    with Program(tls=PAIR) as p:
        with p.connect() as raw:
            raw.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            raw.rest()
        wait_for(p.logs, "a line")
        assert len(p.logs()) == 1 and "clear text" in p.logs()[0], p.logs()
    with Program(tls=PAIR) as p:
        with p.connect() as raw:
            raw.send(b"\x00garbage" * 100)
            raw.rest()
        with p.connect() as raw:
            raw.send(H2.PREFACE)
            raw.rest()
        wait_for(lambda: len(p.logs()) == 2, "two lines")
        assert all("TLS" in m for m in p.logs()), p.logs()
        assert p.curl(scheme="https")[0] == 0


def test_a_handshake_has_a_time_limit():
    with Program(tls=PAIR, header_timeout_ms=1000) as p:
        with p.connect() as raw:
            assert raw.is_closed()
        with p.connect() as raw:
            with client(p).wrap_socket(raw.sock) as s:
                assert s.recv(1) == b""


def test_a_bad_new_pair_keeps_the_old_one():
    second = make_pair("second")
    mixed = {"certificate": second["certificate"], "key": PAIR["key"]}
    with Program(tls=PAIR) as p:
        for bad in (mixed, {"certificate": "nothing", "key": "nothing"},
                    {"certificate": PAIR["key"],
                     "key": PAIR["certificate"]}):
            n = len(p.get("L"))
            p.configure(tls=bad)
            wait_for(lambda: len(p.get("L")) > n, "a warning")
            assert p.get("L")[-1]["level"] == "warning"
            assert subject(p) == "first"
        assert PAIR["key"].split("\n")[1] not in str(p.frames)
        p.configure(tls=second)
        wait_for(lambda: subject(p) == "second", "the new certificate")
    with Program() as p:
        p.configure(tls=mixed)
        wait_for(lambda: p.get("K")[-1]["listening"] == [], "no port")


def test_a_client_that_vanishes_inside_tls_is_a_disconnect():
    with Program(tls=PAIR) as p:
        raw = p.connect()
        s = client(p).wrap_socket(raw.sock)
        s.sendall(b"PUT /v1/echo HTTP/1.1\r\nHost: x\r\n"
                  b"Content-Length: 10\r\n\r\nabcde")
        wait_for(lambda: len(p.requests) == 2, "the visits")
        s.close()
        wait_for(lambda: p.ended, "the end")
        assert p.ended[0][0] == "X" and p.ended[0][1]["disconnect"]
