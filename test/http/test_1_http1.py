"""HTTP/1.1: what is served, what is refused.

Requests are raw bytes: a library would never send the bad ones, and would
repair the good ones.
"""

import hashlib
import json

from harness import H2, Program, wait_for


def echo_of(body):
    return [len(body), hashlib.sha256(body).hexdigest()]


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_health_metrics_and_readiness_need_no_loader():
    with Program(loaders=1, auto=True) as p:
        for path in ("", "/liveness", "/readiness"):
            answer = p.request("GET", "/actuator/health" + path)
            assert answer.status == 200
            assert answer.json() == {"status": "UP"}
        p.send("U", {"ready": True, "writable": False, "reason": "standby"})
        wait_for(lambda: p.request(
            "GET", "/actuator/health/readiness").status == 503, "standby")
        assert p.request("GET", "/actuator/health/liveness").status == 200
        assert p.request("GET", "/actuator/health").status == 200
        answer = p.request("PUT", "/v1/echo", b"x")
        assert answer.status == 503 and answer.headers["retry-after"]
        assert answer.json()["detail"] == "standby"
        answer = p.request("POST", "/api/v1/echo", b"x")
        assert answer.json() == {"exceptionMessage": "standby"}
        for path in ("/iam/v1/tokens", "/provider/v1/connection/x/client-id"):
            answer = p.request("POST", path, b"x")
            assert answer.status == 503 and answer.headers["retry-after"]
            assert answer.json() == {
                "code": "IN503", "message": "standby", "details": {},
                "request_id": answer.headers["x-request-id"]}
        assert p.request("GET", "/v1/echo").status == 200
        p.send("U", {"ready": False, "writable": False, "reason": "down"})
        wait_for(lambda: p.request("GET", "/actuator/health").status == 503,
                 "down")
        assert p.request("GET", "/v1/echo").status == 503
        text = p.request("GET", "/metrics").body.decode()
        assert 'requests_total{route="health",status="200"}' in text
        answer = p.request("POST", "/metrics", b"x")
        assert answer.status == 405 and answer.headers["allow"] == "GET, HEAD"
        assert p.request("HEAD", "/metrics").status == 200


def test_bodies_arrive_whole_by_length_and_by_chunks():
    bodies = [b"a", b"x" * 70000, bytes(range(256)) * 20000]
    with Program(loaders=2) as p:
        with p.connect() as raw:
            for body in bodies:
                answer = raw.request("PUT", "/v1/echo?a=b", body)
                assert answer.status == 200, answer.body
                assert answer.json()["body"] == echo_of(body)
                assert answer.json()["raw"] == len(body)
                assert answer.json()["query"] == "a=b"
            for body in bodies:
                raw.send("PUT /v1/chunks HTTP/1.1\r\nHost: x\r\n"
                         "Transfer-Encoding: Chunked\r\n\r\n")
                for i in range(0, len(body), 33333):
                    raw.send(chunk(body[i:i + 33333]))
                raw.send("0\r\nTrailer: is ignored\r\n\r\n")
                answer = raw.answer()
                assert answer.status == 200
                assert answer.headers["transfer-encoding"] == "chunked"
                assert answer.json()["body"] == echo_of(body)
        assert p.request("POST", "/v1/echo", b"").json()["mode"] == "none"


def test_small_bodies_cost_one_visit():
    with Program(loaders=1) as p:
        assert p.request("PUT", "/v1/echo", b"x" * 1000).json()["mode"] == \
            "all"
        assert len(p.requests) == 1


def test_a_body_byte_by_byte_is_preflighted_and_loaded():
    with Program(loaders=2) as p, p.connect() as raw:
        raw.send("PUT /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                 "\r\na")
        wait_for(lambda: len(p.requests) == 2, "both visits")
        assert p.requests[0]["preflight"] and not p.requests[1]["preflight"]
        raw.send("b").send("c")
        assert raw.answer().json()["body"] == echo_of(b"abc")


def test_requests_sent_ahead_are_answered_in_order():
    with Program() as p, p.connect() as raw:
        one = "PUT /v1/echo?%d HTTP/1.1\r\nHost: x\r\nContent-Length: 2" \
            "\r\n\r\nab"
        raw.send("".join(one % i for i in range(50)))
        for i in range(50):
            assert raw.answer().json()["query"] == str(i)


def test_http_1_0_is_answered_and_closed():
    with Program() as p:
        with p.connect() as raw:
            raw.send("GET /v1/chunks HTTP/1.0\r\n\r\n")
            status, headers = raw.read_head()
            assert status == 200 and "transfer-encoding" not in headers
            assert json.loads(raw.rest())["mode"] == "none"
        with p.connect() as raw:
            raw.send("GET /v1/echo HTTP/1.1\r\nHost: x\r\n"
                     "Connection: close\r\n\r\n")
            assert raw.answer().headers["connection"] == "close"
            assert raw.is_closed()


def test_head_has_no_body():
    with Program() as p, p.connect() as raw:
        for path in ("/v1/echo", "/v1/chunks", "/metrics"):
            assert raw.request("HEAD", path).status == 200
        assert raw.request("GET", "/v1/echo").status == 200


def test_the_request_id_is_the_clients_or_a_uuid():
    with Program() as p:
        answer = p.request("GET", "/v1/echo", headers=["X-Request-Id: Ж1"])
        assert answer.json()["id"] == "Ж1"
        assert answer.headers["x-request-id"] == "Ж1"
        answer = p.request("GET", "/v1/echo")
        assert len(answer.headers["x-request-id"]) == 36
        answer = p.request("GET", "/v1/echo",
                           headers=["X-Request-Id: " + "Ж" * 100])
        assert answer.json()["id"] == "Ж" * 64


def test_a_bad_head_is_told_in_the_form_of_its_path():
    bad = "Content-Encoding: x"
    with Program() as p:
        for path, headers in (("/provider/v1/t%", []), ("/iam/v1/", [bad]),
                              ("/provider/v1/t", [bad, "X-Request-Id: 7"])):
            answer = p.request("POST", path, b"x", headers)
            told = answer.json()
            assert told["code"] == "IN%d" % answer.status, told
            assert told["request_id"] == answer.headers["x-request-id"]
        assert told["request_id"] == "7"
        _, out = p.curl("--http2-prior-knowledge", "-d", "x", "-H", bad,
                        path="/provider/v1/t")
        told = json.loads(out)
        assert told["code"] == "IN415" and len(told["request_id"]) == 36
        answer = p.request("POST", "/api/v1/t%", b"x")
        assert answer.status == 400 and "exceptionMessage" in answer.json()
        answer = p.request("POST", "/v1/t%", b"x")
        assert answer.json()["status"] == 400
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
        # what cannot be read to its end has a beginning
        long = b"a" * 40000
        for head, status in (
                (b"GET /iam/v1/" + long, 414),
                (b"GET /provider/v1/t HTTP/1.1\r\nX: " + long, 431),
                (b"TRACE /provider/v1/t HTTP/1.1\r\nHost: x\r\n\r\n", 501),
                (b"GET /provider/v1/t HTTP/3.0\r\nHost: x\r\n\r\n", 505)):
            with p.connect() as raw:
                told = raw.send(head).answer().json()
            assert told["code"] == "IN%d" % status, told



GET = b"GET /v1/echo HTTP/1.1\r\nHost: x\r\n"
PUT = b"PUT /v1/echo HTTP/1.1\r\nHost: x\r\n"

# name, bytes, status
REFUSED = [
    ("both lengths", PUT + b"Content-Length: 3\r\nTransfer-Encoding: chunked"
     b"\r\n\r\n0\r\n\r\n", 400),
    ("two lengths", PUT + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\n"
     b"abc", 400),
    ("two lengths in one", PUT + b"Content-Length: 3, 3\r\n\r\nabc", 400),
    ("negative length", PUT + b"Content-Length: -1\r\n\r\n", 400),
    ("signed length", PUT + b"Content-Length: +3\r\n\r\nabc", 400),
    ("length with text", PUT + b"Content-Length: 3x\r\n\r\nabc", 400),
    ("huge length", PUT + b"Content-Length: 99999999999999999999\r\n\r\n",
     400),
    ("empty length", PUT + b"Content-Length:\r\n\r\n", 400),
    ("other transfer coding", PUT + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    ("transfer coding list", PUT + b"Transfer-Encoding: gzip, chunked\r\n\r\n"
     b"0\r\n\r\n", 501),
    ("disguised chunked", PUT + b"Transfer-Encoding: xchunked\r\n\r\n", 501),
    ("quoted chunked", PUT + b'Transfer-Encoding: "chunked"\r\n\r\n', 501),
    ("chunked twice", PUT + b"Transfer-Encoding: chunked\r\n"
     b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("tab behind chunked", PUT + b"Transfer-Encoding: chunked\t\r\n\r\n"
     b"0\r\n\r\n", 400),
    ("tab before chunked", PUT + b"Transfer-Encoding:\tchunked\r\n\r\n"
     b"0\r\n\r\n", 400),
    ("tab behind a length", PUT + b"Content-Length: 1\t\r\n\r\nx", 400),
    ("chunked in 1.0", b"PUT /v1/echo HTTP/1.0\r\nTransfer-Encoding: chunked"
     b"\r\n\r\n0\r\n\r\n", 400),
    ("folded field", GET + b"X: a\r\n b\r\n\r\n", 400),
    ("folded first field", b"GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400),
    ("bare LF", b"GET /v1/echo HTTP/1.1\nHost: x\n\n", 400),
    ("bare LF at the end", GET + b"X: a\r\n\n", 400),
    ("bare CR", GET + b"X: a\rb\r\n\r\n", 400),
    ("CR CR LF", GET + b"X: a\r\r\n\r\n", 400),
    ("space before colon", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    ("tab before colon", GET + b"X\t: a\r\n\r\n", 400),
    ("empty name", GET + b": a\r\n\r\n", 400),
    ("name with space", GET + b"A B: a\r\n\r\n", 400),
    ("name with high byte", GET + b"A\xc3\xa4: a\r\n\r\n", 400),
    ("no colon", GET + b"nothing\r\n\r\n", 400),
    ("NUL in value", GET + b"X: a\0b\r\n\r\n", 400),
    ("DEL in value", GET + b"X: a\x7fb\r\n\r\n", 400),
    ("value that is no UTF-8", GET + b"X: a\xffb\r\n\r\n", 400),
    ("no host", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("two hosts", GET + b"Host: x\r\n\r\n", 400),
    ("host list", b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    ("host with user", b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
    ("host with path", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    ("empty host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
    ("another host in the target", b"GET http://b/ HTTP/1.1\r\nHost: a\r\n"
     b"\r\n", 400),
    ("absolute target of another scheme", b"GET ftp://a/ HTTP/1.1\r\n"
     b"Host: a\r\n\r\n", 400),
    ("authority as target", b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
     501),
    ("target without slash", b"GET v1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("target with fragment", b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("target with bad escape", b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("target with NUL", b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("target with high byte", b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n",
     400),
    ("two spaces", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("space at the end", b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    ("no version", b"GET /\r\n\r\n", 400),
    ("empty line first", b"\r\n" + GET + b"\r\n", 400),
    ("version 1.2", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
    ("version 2.0", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("lower case version", b"GET / http/1.1\r\nHost: a\r\n\r\n", 400),
    ("unknown method", b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ("lower case method", b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ("method of other bytes", b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("other expectation", PUT + b"Expect: magic\r\nContent-Length: 1\r\n\r\n",
     417),
    ("unknown encoding", PUT + b"Content-Encoding: br\r\nContent-Length: 1"
     b"\r\n\r\na", 415),
    ("two encodings", PUT + b"Content-Encoding: gzip, gzip\r\n"
     b"Content-Length: 1\r\n\r\na", 415),
    ("garbage", b"\x00\x01\x02\x03", 400),
    ("binary after a word", b"GET\x01", 400),
    ("long header line", GET + b"X: " + b"a" * (1 << 20), 431),
    ("long target", b"GET /" + b"a" * (1 << 20), 414),
    ("many fields", GET + b"".join(b"X%d: a\r\n" % i for i in range(101)) +
     b"\r\n", 431),
    # what TLS looks like without its first byte
    ("random bytes", bytes((i * 7919 + 13) % 256 for i in range(5000)), 400),
]


def test_forms_that_could_be_read_in_two_ways_are_refused():
    with Program() as p:
        for name, data, status in REFUSED:
            with p.connect() as raw:
                try:
                    raw.send(data)
                except (ConnectionResetError, BrokenPipeError):
                    pass
                try:
                    answer = raw.answer()
                except (EOFError, ConnectionResetError):
                    # a megabyte behind its refusal may end in a reset
                    assert len(data) > 1 << 19, name
                    continue
                assert answer.status == status, (name, answer.status)
                assert answer.headers["connection"] == "close", name
                assert raw.is_closed(), name
        assert p.requests == []


def test_each_refusal_is_logged_once_and_says_nothing_secret():
    with Program() as p:
        with p.connect() as raw:
            raw.send(GET + b"Authorization: Bearer hush\r\nX: s3cret\x01\r\n")
            assert raw.answer().status == 400
        wait_for(p.logs, "a line")
        assert p.request("GET", "/v1/echo").status == 200
        assert len(p.logs()) == 1, p.logs()
        text = json.dumps(p.frames)
        assert "hush" not in text and "s3cret" not in text


CHUNKS = [
    (b"\r\n0\r\n\r\n", "empty size"),
    (b"g\r\n", "no digit"),
    (b"-1\r\n", "negative"),
    (b"0x1\r\na\r\n0\r\n\r\n", "prefix"),
    (b" 1\r\na\r\n0\r\n\r\n", "blank before"),
    (b"1 \r\na\r\n0\r\n\r\n", "blank behind"),
    (b"1\na\r\n0\r\n\r\n", "bare LF"),
    (b"1\r\nab\r\n0\r\n\r\n", "too short"),
    (b"2\r\na\r\n0\r\n\r\n", "too long"),
    (b"1\r\na\n0\r\n\r\n", "LF behind the data"),
    (b"ffffffffffffffff1\r\n", "overflow"),
    (b"0000000000000000000001\r\na\r\n0\r\n\r\n", "many zeros"),
    (b"1;a\nb\r\na\r\n0\r\n\r\n", "LF in the extension"),
    (b"1;" + b"a" * 20000, "long extension"),
    (b"0\r\nno colon\r\n\r\n", "bad trailer"),
    (b"0\r\n" + b"a: b\r\n" * 10000 + b"\r\n", "long trailers"),
    (b"0\r\n\n", "bare LF at the end"),
]


def test_malformed_chunks_are_refused():
    with Program() as p:
        for data, name in CHUNKS:
            with p.connect() as raw:
                raw.send(PUT + b"Transfer-Encoding: chunked\r\n\r\n" + data)
                answer = raw.answer()
                assert answer.status == 400, (name, answer.status)
                assert raw.is_closed()
        with p.connect() as raw:
            raw.send(PUT + b"Transfer-Encoding: chunked\r\n\r\n"
                     b"1;name=value\r\na\r\n0a;x\r\n0123456789\r\n"
                     b"0;y\r\n\r\n")
            assert raw.answer().json()["body"] == echo_of(b"a0123456789")


def test_a_malformed_chunk_at_a_loader_is_told_and_never_a_disconnect():
    with Program() as p, p.connect() as raw:
        raw.send(PUT + b"Transfer-Encoding: chunked\r\n\r\n" +
                 chunk(b"a" * 100000))
        wait_for(lambda: p.requests, "the visit")
        raw.send("zzz\r\n")
        assert raw.answer().status == 400
        (kind, last, body), = p.ended
        assert kind == "X" and last["status"] == 400
        assert last["disconnect"] is False


def test_absolute_targets_of_the_same_host_are_taken():
    with Program() as p, p.connect() as raw:
        raw.send("GET http://X:1/v1/echo?q HTTP/1.1\r\nHost: x:1\r\n\r\n")
        assert raw.answer().json()["query"] == "q"


def test_clear_bytes_of_tls_are_refused_and_logged_once():
    with Program() as p:
        with p.connect() as raw:
            raw.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20)
            assert raw.is_closed()
        wait_for(p.logs, "a line")
        p.request("GET", "/metrics")
        assert len(p.logs()) == 1 and "refused TLS" in p.logs()[0]


def test_two_hundred_clients_with_garbage_leave_the_server_well():
    with Program() as p:
        for i in range(200):
            with p.connect() as raw:
                try:
                    raw.send(bytes((i * 31 + j * j) % 256
                                   for j in range(1 + i * 7)))
                except OSError:
                    pass
        assert p.request("GET", "/v1/echo").status == 200
        wait_for(lambda: p.metric("pg_intake_http_connections") == 1, "end")
