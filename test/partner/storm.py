"""storm.py: all that can be done to a partner's tables, at once.

    storm.py < settings.json

reads {"port", "seed", "seconds", "clients", "psql": [argv], "owner",
"schema", "id", "oauth"}.  That many clients of one connection write, define,
delete, ask and link at random, tables t0, t1 and t2, and its owner runs SQL
on them and rotates the key.  A request is repeated as it was until its answer
is final.  Prints {"answers": {"write 200": n, ...}, "wrong": [...]}.

A write's rows have its UUID.  What is wrong: an answer that is not promised; a
write of which there are some rows; rows of one that has failed, or has ended
before data was dropped; none of one that began after the last drop had ended.
"""

import collections
import http.client
import json
import random
import subprocess
import sys
import threading
import time
import uuid

TABLES = ("t0", "t1", "t2")
PARTS = 4
KEYS = {"t0": {}, "t1": {"replacing_key": ["op"]},
        "t2": {"partition_key": ["part"]}}
NARROW = [("op", "string"), ("part", "integer"), ("line", "integer")]
WIDE = NARROW + [("more", "string")]

# What may be answered to any of them: the key was rotated, the client is not
# linked, the table is not there, busy, the schema is called something else.
ANY = {"401 28000", "403 42501", "404 IN404", "423 55P03", "423 IN423",
       "503 40001", "503 40P01", "503 55000", "503 3F000"}
PROMISED = {
    # a table that is dropped while the rows come
    "write": {"400 22032", "400 22023", "400 2BP01", "400 42P01"},
    "define": {"400 2BP01"},
    "drop": {"400 2BP01"},
    "delete": set(),
    "info": set(),
    "link": set(),
    "unlink": {"400 IN400"},
}
DROPS = ("TRUNCATE {t}", "DROP TABLE {t}")
STATEMENTS = DROPS + (
    "ALTER TABLE {t} ADD COLUMN own int", "ALTER TABLE {t} DROP COLUMN own",
    "ALTER SCHEMA {s} RENAME TO elsewhere;"
    " ALTER SCHEMA elsewhere RENAME TO {s}",
    "CREATE INDEX ON {t} (line)", "VACUUM FULL {t}", "ANALYZE {t}",
    "CREATE MATERIALIZED VIEW {s}.m_{n} AS SELECT count(*) FROM {t}",
    "REFRESH MATERIALIZED VIEW {s}.m_{n}",
    "DROP MATERIALIZED VIEW {s}.m_{n}",
    "BEGIN; SELECT count(*) FROM {t}; SELECT pg_sleep(0.2); COMMIT",
    "BEGIN; LOCK TABLE {t}; SELECT pg_sleep(0.2); COMMIT")

# An operation that took place: its interval, what it did to which rows.
Done = collections.namedtuple("Done", "start end table drops part op count")


class Client(threading.Thread):
    def __init__(self, storm, number):
        super().__init__()
        self.storm = storm
        self.number = number
        self.random = random.Random("%s %d" % (storm.seed, number))
        self.token = None
        self.peer = None

    def run(self):
        try:
            while time.time() < self.storm.end:
                self.act()
        except Exception as error:
            self.storm.complain("client %d: %r" % (self.number, error))

    def act(self):
        table = self.random.choice(TABLES)
        choice = self.random.random()
        if choice < 0.72:
            self.write(table)
        elif choice < 0.78:
            self.define(table)
        elif choice < 0.80:
            self.drop(table)
        elif choice < 0.90:
            self.delete(table)
        elif choice < 0.97:
            self.repeat("info", "GET", "info")
        elif choice < 0.98:
            self.repeat("unlink", "DELETE", "client-id")
        else:
            self.repeat("link", "POST", "client-id")

    def ask(self, verb, path, body, headers):
        """One try: status, code, body."""
        for _ in range(3):
            if self.peer is None:
                self.peer = http.client.HTTPConnection(
                    "127.0.0.1", self.storm.port, timeout=60)
            try:
                self.peer.request(verb, path, body, headers)
                answer = self.peer.getresponse()
                text = answer.read().decode()
                break
            except (http.client.HTTPException, OSError):
                # closed after a refused body: send it again
                self.peer.close()
                self.peer = None
        else:
            raise RuntimeError("no answer to %s %s" % (verb, path))
        content = json.loads(text) if text else {}
        return answer.status, content.get("code", ""), content

    def get_token(self):
        status, _, content = self.ask(
            "POST", "/iam/v1/tokens",
            json.dumps({"yandexPassportOauthToken": self.storm.oauth}),
            {"Content-Type": "application/json"})
        if status == 200:
            self.token = content["iamToken"]

    def repeat(self, kind, verb, path, body=None, more=None):
        """Until the answer is final; None, or its body and the interval."""
        start = time.time()
        while time.time() < self.storm.end + 30:
            headers = {"Authorization": "Bearer %s" % self.token,
                       "X-DL-Client-Id": self.storm.client or "none"}
            headers.update(more or {})
            if kind == "link":
                del headers["X-DL-Client-Id"]
            status, code, content = self.ask(
                verb, "/provider/v1/connection/%s/%s" % (self.storm.id, path),
                body, headers)
            self.storm.count("%s %d %s" % (kind, status, code))
            if status < 300:
                if kind == "link":
                    self.storm.client = content["client_id"]
                return content, start, time.time()
            answer = "%d %s" % (status, code)
            if answer not in ANY | PROMISED[kind]:
                self.storm.complain("%s: %s %s" % (kind, answer, content))
                return None
            if status == 401:
                self.get_token()
            elif status == 403:
                self.repeat("link", "POST", "client-id")
            elif status not in (423, 503):
                return None
            time.sleep(self.random.uniform(0, 0.05))
        self.storm.complain("%s has no end" % kind)
        return None

    def path(self, table, what):
        return "table/%s/%s" % (table, what)

    def definition(self, table, fields):
        return json.dumps(dict(
            KEYS[table], schema=[{"name": n, "type": t} for n, t in fields]))

    def write(self, table):
        fields = NARROW if self.random.random() < 0.8 else WIDE
        op = str(uuid.UUID(int=self.random.getrandbits(128)))
        part = self.random.randrange(PARTS)
        count = self.random.choice((1, 2, 30, 3000))
        truncates = self.random.random() < 0.02
        more = {"X-DL-Operation-UUID": op, "X-DL-Data-Format": "array",
                "Content-Type": "application/x-ndjson"}
        if self.random.random() < 0.5:
            more["X-DL-Table-Definition"] = self.definition(table, fields)
            if self.random.random() < 0.3:
                more["X-DL-Allow-Alter-Table"] = "true"
        if truncates:
            more["X-DL-Force-Truncate"] = "true"
        rows = [[op, part, i] + ["x"] * (len(fields) - 3)
                for i in range(count)]
        body = "".join(json.dumps(row) + "\n" for row in rows)
        self.storm.begin(op, table)
        done = self.repeat("write", "POST", self.path(table, "data"), body,
                           more)
        if done is None:
            return
        content, start, end = done
        if content["row_count"] != count:
            self.storm.complain("write of %d rows: %s" % (count, content))
        self.storm.note(start, end, table, op=op, part=part, count=count,
                        drops=truncates or content["old_data_was_dropped"])

    def define(self, table):
        fields = NARROW if self.random.random() < 0.7 else WIDE
        done = self.repeat("define", "POST", self.path(table, "definition"),
                           self.definition(table, fields),
                           {"Content-Type": "application/json"})
        if done is not None and done[0]["old_data_was_dropped"]:
            self.storm.note(done[1], done[2], table, drops=True)

    def drop(self, table):
        done = self.repeat("drop", "DELETE", self.path(table, "definition"))
        if done is not None:
            self.storm.note(done[1], done[2], table, drops=True)

    def delete(self, table):
        if table != "t2":
            return
        part = self.random.randrange(PARTS)
        body = json.dumps({"partitions": [{"part": part}]})
        more = {"Content-Type": "application/json"}
        if self.random.random() < 0.5:
            more["X-DL-Operation-UUID"] = str(
                uuid.UUID(int=self.random.getrandbits(128)))
        done = self.repeat("delete", "DELETE", self.path(table, "data"), body,
                           more)
        if done is not None:
            self.storm.note(done[1], done[2], table, drops=True, part=part)


class Owner(threading.Thread):
    """Runs SQL as the connection's owner."""

    def __init__(self, storm):
        super().__init__()
        self.storm = storm
        self.random = random.Random("%s owner" % storm.seed)

    def run(self):
        try:
            while time.time() < self.storm.end:
                if self.random.random() < 0.1:
                    self.storm.rotate()
                else:
                    self.act()
                time.sleep(self.random.uniform(0, 0.2))
        except Exception as error:
            self.storm.complain("owner: %r" % error)

    def act(self):
        name = self.random.choice(TABLES)
        # a table that is gone is made again by chance only
        statement = self.random.choice(
            STATEMENTS if self.random.random() < 0.3 else STATEMENTS[2:])
        start = time.time()
        is_done = self.storm.sql(statement.format(
            t='"%s".%s' % (self.storm.schema, name), n=name,
            s='"%s"' % self.storm.schema)) is not None
        self.storm.count("owner %s" % ("did" if is_done else "failed"))
        if is_done and statement in DROPS:
            self.storm.note(start, time.time(), name, drops=True)


class Storm:
    def __init__(self, settings):
        self.port = int(settings["port"])
        self.seed = settings["seed"]
        self.psql = settings["psql"]
        self.owner = settings["owner"]
        self.schema = settings["schema"]
        self.id = settings["id"]
        self.oauth = settings["oauth"]
        self.client = None
        self.end = time.time() + float(settings["seconds"])
        self.lock = threading.Lock()
        self.answers = collections.Counter()
        self.wrong = []
        self.begun = {}
        self.done = []
        self.threads = [Client(self, i) for i in range(settings["clients"])]
        self.threads.append(Owner(self))

    def count(self, what):
        with self.lock:
            self.answers[what] += 1

    def complain(self, what):
        with self.lock:
            self.wrong.append(what)

    def begin(self, op, table):
        with self.lock:
            self.begun[op] = table

    def note(self, start, end, table, drops=False, part=None, op=None,
             count=0):
        with self.lock:
            self.done.append(Done(start, end, table, drops, part, op, count))

    def sql(self, text):
        """What psql prints, or None when it failed."""
        done = subprocess.run(
            self.psql + ["-c", "SET client_min_messages = error", "-c",
                         'SET ROLE "%s"' % self.owner, "-c",
                         "SET lock_timeout = '3s'"]
            + [word for part in text.split("; ") for word in ("-c", part)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        error = done.stderr.decode()
        if "XX000" in error or "closed the connection" in error:
            self.complain("%s: %s" % (text, error))
        return done.stdout.decode() if done.returncode == 0 else None

    def rotate(self):
        token = self.sql("SELECT oauth_token FROM intake.rotate_key('%s')"
                         % self.id)
        self.count("rotate %s" % ("did" if token else "failed"))
        if token:
            self.oauth = token.strip()

    def find_rows(self, table):
        """Rows and different lines by operation; none without a table."""
        text = self.sql('SELECT op, count(*), count(DISTINCT line) FROM "%s".%s'
                        ' GROUP BY 1' % (self.schema, table)) or ""
        return {op: (int(n), int(lines)) for op, n, lines in
                (line.split("|") for line in text.splitlines())}

    def check(self, table):
        rows = self.find_rows(table)
        done = [d for d in self.done if d.table == table]
        writes = {d.op: d for d in done if d.op is not None}
        for op in rows:
            if op not in writes:
                self.complain("%s has rows of %s, which failed" % (table, op))
        for op, write in writes.items():
            # a partition's delete drops others' rows only
            drops = [d for d in done if d.drops and d is not write and
                     (d.op is not None or d.part in (None, write.part))]
            found = rows.get(op, (0, 0))
            if found not in ((0, 0), (write.count, write.count)):
                self.complain("%s: %s rows of %s" % (table, found, write))
            if found[0] == 0 and all(d.end < write.start for d in drops):
                self.complain("%s: no rows of %s" % (table, write))
            if found[0] > 0 and any(d.start > write.end for d in drops):
                self.complain("%s: rows still of %s" % (table, write))
        return len(rows)

    def run(self):
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join()
        kept = sum(self.check(table) for table in TABLES)
        print(json.dumps({"answers": self.answers, "wrong": self.wrong,
                          "kept": kept}))


Storm(json.load(sys.stdin)).run()
