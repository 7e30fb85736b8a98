#!/usr/bin/python3
"""Sessions that upload at random, and a model of what has to come out.

    sessions.py CONNINFO SEED SECONDS

Uploads of all modes go into many kinds of tables, in transactions of all
isolation levels, with savepoints, rollbacks and prepared transactions, are
repeated and made with other content under their UUID.  Meanwhile other
sessions change the same rows, alter and rebuild the tables, cancel and
terminate, and one is killed, so that the server recovers.

Two tables of each kind.  Only uploads write to "quiet_...": the operations on
record, in the order of their commits, must lead the model to the counters and
to the rows that are there.  The order is right since uploads lock each other
out, or lock rows until they commit.  Everybody writes to "busy_...": rows that
came must be rows that went and rows that are there.

The database has pg_intake, amcheck and role "writer"; the server has
track_commit_timestamp, prepared transactions and pg_intake preloaded by its
sessions.  Prints the faults, and exits with 1 when there are any.
"""

import collections
import io
import json
import os
import random
import signal
import sys
import threading
import time
import uuid

import psycopg2

COLUMNS = "{}, k int, v text DEFAULT 'd', n int DEFAULT 7 {}, c int"
CHECK = "CONSTRAINT positive CHECK (n >= 0)"
PLAIN = "CREATE TABLE @ (" + COLUMNS.format("id int PRIMARY KEY", CHECK)
KEYLESS = "CREATE TABLE @ (" + COLUMNS.format("id int", CHECK)
KEY_INDEX = "; CREATE INDEX @_k ON @ (k)"
FIELDS = ("id", "k", "v", "n", "c")
DEFAULTS = {"v": "d", "n": 7}


def partitioned(table, by, *bounds):
    return "".join(
        [table, ") PARTITION BY ", by] +
        ["; CREATE TABLE @_{} PARTITION OF @ {}".format(i, bound)
         for i, bound in enumerate(bounds)])


def noting(times):
    """Triggers that count rows; the table's own name is in them."""
    return (KEY_INDEX + "; CREATE TRIGGER same BEFORE INSERT OR UPDATE OR "
            "DELETE ON @ FOR EACH ROW EXECUTE FUNCTION same(); "
            "CREATE " + times + " FOR EACH ROW EXECUTE FUNCTION note()")


KINDS = {
    "heap": PLAIN + ") WITH (fillfactor = 60)" + KEY_INDEX,
    "unindexed": PLAIN + ")",
    "indexed": PLAIN + ", minus int UNIQUE GENERATED ALWAYS AS (-id) "
        "STORED, s bigint GENERATED ALWAYS AS IDENTITY)" + KEY_INDEX +
        "; CREATE INDEX ON @ USING hash (v); "
        "CREATE INDEX ON @ ((n + 1)) WHERE n > 3",
    "keyless": KEYLESS + ")" + KEY_INDEX,
    "hash": partitioned(PLAIN, "HASH (id)",
        "FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
        "FOR VALUES WITH (MODULUS 2, REMAINDER 1)") + KEY_INDEX,
    "range": partitioned(PLAIN, "RANGE (id)",
        "FOR VALUES FROM (MINVALUE) TO (90)",
        "FOR VALUES FROM (90) TO (250)", "DEFAULT") + KEY_INDEX,
    "list": partitioned(KEYLESS, "LIST (k)", "FOR VALUES IN (0, 1, 2)",
        "FOR VALUES IN (3, 4, NULL)", "DEFAULT") + KEY_INDEX,
    "shaped": "CREATE TABLE @ (gone int, " +
        COLUMNS.format("id int PRIMARY KEY", CHECK) +
        ") PARTITION BY RANGE (id); ALTER TABLE @ DROP gone; "
        "CREATE TABLE @_0 (c int, gone text, v text DEFAULT 'd', "
        "n int DEFAULT 7 " + CHECK + ", k int, id int NOT NULL); "
        "ALTER TABLE @_0 DROP gone; ALTER TABLE @ ATTACH PARTITION @_0 "
        "FOR VALUES FROM (MINVALUE) TO (150); "
        "CREATE TABLE @_1 PARTITION OF @ DEFAULT" + KEY_INDEX,
    "deferred": PLAIN.replace("KEY", "KEY DEFERRABLE INITIALLY DEFERRED") +
        ")" + KEY_INDEX,
    "referring": PLAIN + ", FOREIGN KEY (k) REFERENCES parent DEFERRABLE "
        "INITIALLY DEFERRED)" + KEY_INDEX,
    "excluding": PLAIN + ", EXCLUDE USING gist "
        "(int4range(id, id + 1) WITH &&))" + KEY_INDEX,
    "secured": PLAIN + ")" + KEY_INDEX + "; ALTER TABLE @ ENABLE ROW LEVEL "
        "SECURITY; CREATE POLICY all_of_it ON @ USING (true)",
    "noted": PLAIN + ")" + noting("TRIGGER note AFTER INSERT OR UPDATE OR "
                                  "DELETE ON @"),
    "noted_late": PLAIN + ")" + noting(
        "CONSTRAINT TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON @ "
        "DEFERRABLE INITIALLY DEFERRED"),
}
KEYLESS_KINDS = ("keyless", "list")
NOTED_KINDS = ("noted", "noted_late")
PARTITIONED_KINDS = ("hash", "range", "list", "shaped")

# What may happen to anybody: conflicts, deadlocks, cancels, lost connections.
USUAL = (None, "40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03",
         "23505", "23P01", "IN423")

ANSWER = ("replayed, rows_received, rows_inserted, rows_updated, "
          "rows_deleted, rows_skipped, rows_rejected")

stopping = threading.Event()
mutex = threading.Lock()
faults = []
operations = {}                         # by UUID
answers = collections.defaultdict(list)
pids = {}


def fault(*what):
    with mutex:
        faults.append(" ".join(str(one) for one in what))


def connect(user):
    """A connection, as soon as the server takes one."""
    deadline = time.time() + 60
    while True:
        try:
            connection = psycopg2.connect(CONNINFO, user=user)
            connection.autocommit = True
            return connection
        except psycopg2.OperationalError:
            if time.time() > deadline:
                raise
            time.sleep(0.05)


class Operation:
    """One upload: what it sends, and what the model takes."""

    def __init__(self, rnd, table):
        self.uuid = str(uuid.UUID(int=rnd.getrandbits(128), version=4))
        self.table = table
        self.kind = table.split("_", 1)[1]
        self.door = rnd.choice(("object", "object", "array", "csv", "copy"))
        self.mode = rnd.choice(("append", "replace", "merge", "merge"))
        if self.mode == "merge" and self.kind in KEYLESS_KINDS:
            self.mode = "replace"
        self.options = self.make_options(rnd)
        self.has_other = False          # was tried with other content
        count = rnd.choice((0, 1, 2, 5, 20, 60, 400))
        self.records = [self.make_record(rnd) for _ in range(count)]
        if rnd.random() < 0.3:
            self.records.sort(key=lambda record: record["id"])

    def make_options(self, rnd):
        options = {}
        if self.mode == "replace":
            options["key"] = ["k"]
        if self.mode == "merge" and self.door == "object" and \
                rnd.random() < 0.4:
            options["update_columns"] = rnd.choice(("present", "all"))
            if rnd.random() < 0.7:
                options["newer_by"] = "c"
        elif self.mode == "merge" and rnd.random() < 0.2:
            options["existing"] = "keep"
        elif self.mode != "replace" and rnd.random() < 0.2:
            options["max_errors"] = 1000
        if rnd.random() < 0.05:
            options.pop("max_errors", None)
            options["truncate"] = options["allow_empty"] = True
        return options

    def make_record(self, rnd):
        record = {
            "id": rnd.randrange(400),
            "k": None if rnd.random() < 0.1 else rnd.randrange(12),
            "v": "v%d" % rnd.randrange(1000), "n": rnd.randrange(100),
            "c": None if rnd.random() < 0.1 else rnd.randrange(50)}
        if self.mode == "append" and rnd.random() < 0.99:
            record["id"] = rnd.randrange(1000, 1 << 30)
        elif self.mode == "replace":
            # keys do not share ids, so that few replaces fail
            record["id"] = (1 << 30) + (record["k"] or 99) * 1000000 + \
                rnd.randrange(1000000)
        if self.door == "object" and rnd.random() < 0.3:
            del record[rnd.choice("vn")]
        if self.mode == "merge" and self.door == "object" and \
                rnd.random() < 0.2:
            record["sys_op"] = 1
        elif "max_errors" in self.options and rnd.random() < 0.1:
            record["n"] = -1
        return record

    def needs_read_committed(self):
        """Where what a transaction has seen decides, and others change it."""
        return "newer_by" in self.options or "existing" in self.options

    def rows(self):
        return [[record[field] for field in FIELDS]
                for record in self.records]

    def payload(self):
        if self.door == "csv":
            lines = [FIELDS] + [["" if value is None else str(value)
                                 for value in row] for row in self.rows()]
            return "\n".join(",".join(line) for line in lines)
        items = self.records if self.door == "object" else self.rows()
        return "\n".join(json.dumps(item) for item in items)

    def copy_command(self):
        command = "COPY {} ({}) FROM STDIN (FORMAT ndjson, MODE {}, " \
            "OPERATION '{}'".format(self.table, ", ".join(FIELDS), self.mode,
                                    self.uuid)
        for name, value in self.options.items():
            command += ", {} {}".format(
                name, "(k)" if name == "key" else
                "'%s'" % str(value).lower())
        return command + ")"

    def send(self, cursor, more=""):
        """Does it, with more bytes behind the payload; returns the answer."""
        payload = (self.payload() + more).encode()
        if self.door == "copy":
            cursor.copy_expert(self.copy_command(), io.BytesIO(payload))
            cursor.execute("SELECT " + ANSWER + " FROM intake.last_upload()")
        else:
            options = dict(self.options)
            if self.door == "array":
                options["columns"] = FIELDS
            cursor.execute(
                "SELECT " + ANSWER + " FROM intake.upload(%s::regclass, "
                "%s::bytea, %s, %s::uuid, mode => %s, options => %s)",
                (self.table, payload,
                 "csv" if self.door == "csv" else "ndjson", self.uuid,
                 self.mode, json.dumps(options)))
        return cursor.fetchone()


class Rows:
    """The rows of one table, as the model has them."""

    def __init__(self):
        self.rows = []

    def apply(self, operation):
        """Returns the counters that the operation must have."""
        received = len(operation.records)
        deleted = rejected = 0
        if "truncate" in operation.options:
            deleted = len(self.rows)
            self.rows = []
        if operation.mode == "append":
            inserted, rejected = self.append(operation)
            return [received, inserted, 0, deleted, 0, rejected]
        if operation.mode == "replace":
            keys = {record["k"] for record in operation.records}
            kept = [row for row in self.rows if row["k"] not in keys]
            deleted += len(self.rows) - len(kept)
            self.rows = kept + [new_row(record)
                                for record in operation.records]
            return [received, received, 0, deleted, 0, 0]
        counts = self.merge(operation)
        return [received, counts["inserted"], counts["updated"],
                deleted + counts["deleted"], counts["skipped"],
                counts["rejected"]]

    def append(self, operation):
        ids = {row["id"] for row in self.rows}
        inserted = 0
        for record in operation.records:
            is_there = record["id"] in ids and \
                operation.kind not in KEYLESS_KINDS
            if not is_there and record.get("n") != -1:
                self.rows.append(new_row(record))
                ids.add(record["id"])
                inserted += 1
        return inserted, len(operation.records) - inserted

    def merge(self, operation):
        counts = collections.Counter()
        table = {row["id"]: row for row in self.rows}
        keys = collections.defaultdict(list)
        for record in operation.records:
            keys[record["id"]].append(record)
        for key, records in keys.items():
            # of records that a good one replaces nobody knows they are bad
            while records and records[-1].get("n") == -1:
                records.pop()
                counts["rejected"] += 1
            if records:
                old = table.get(key)
                new = merge_records(operation.options, old, records)
                counts[outcome(old, new)] += 1
                table[key] = new
        self.rows = [row for row in table.values() if row is not None]
        return counts

    def contents(self):
        return collections.Counter(tuple(row[field] for field in FIELDS)
                                   for row in self.rows)


def new_row(record):
    return {field: record.get(field, DEFAULTS.get(field)) for field in FIELDS}


def is_older(record, row):
    """Whether newer_by leaves the row alone; NULL is below all values."""
    if record["c"] is None:
        return row["c"] is not None and "sys_op" not in record
    return row["c"] is not None and record["c"] < row["c"]


def merge_records(options, row, records):
    """What becomes of a row: the records one after the other."""
    if "update_columns" not in options:
        records = records[-1:]
    for record in records:
        if row is not None and "newer_by" in options and \
                is_older(record, row):
            continue
        if "sys_op" in record:
            row = None
        elif row is not None and options.get("update_columns") == "present":
            row = dict(row, **{field: record[field] for field in FIELDS
                               if field in record})
        elif row is None or "existing" not in options:
            row = new_row(record)
    return row


def outcome(old, new):
    if old is None:
        return "nothing" if new is None else "inserted"
    if new is None:
        return "deleted"
    return "skipped" if new is old else "updated"


class Meddler(threading.Thread):
    """A session of its own that does something again and again."""

    user = "writer"
    usual = USUAL

    def __init__(self, number):
        super().__init__()
        self.rnd = random.Random("%s %s %s" % (SEED, type(self).__name__,
                                               number))
        self.connection = None

    def run(self):
        while not stopping.is_set():
            try:
                self.turn()
            except psycopg2.Error as error:
                self.recover(error)
            except SystemError:
                # psycopg2, when COPY ends before it has read the payload
                self.connection.close()
        if self.connection is not None:
            self.connection.close()

    def turn(self):
        if self.connection is None or self.connection.closed:
            self.connection = connect(self.user)
            pids[self] = self.connection.get_backend_pid()
            self.connection.cursor().execute("SET lock_timeout = '1s'")
        self.act(self.connection.cursor())

    def recover(self, error):
        if error.pgcode not in self.usual:
            fault(type(self).__name__, error.pgcode, error)
        try:
            self.connection.rollback()
            self.connection.cursor().execute("ROLLBACK")
        except psycopg2.Error:
            self.connection.close()

    def act(self, cursor):
        raise NotImplementedError


class Uploader(Meddler):
    # CHECK may be met where bad records are not tolerated, other content is
    # refused, and a deferrable key serves no merge in higher isolation
    usual = USUAL + ("IN422", "0A000")

    def __init__(self, number):
        super().__init__(number)
        self.earlier = []

    def act(self, cursor):
        if self.earlier and self.rnd.random() < 0.2:
            self.repeat(cursor, self.rnd.choice(self.earlier))
            return
        batch = [Operation(self.rnd, self.rnd.choice(TABLES))
                 for _ in range(self.rnd.choice((1, 1, 1, 2, 3)))]
        with mutex:
            operations.update((one.uuid, one) for one in batch)
        self.earlier = (self.earlier + batch)[-20:]
        if len(batch) == 1 and self.rnd.random() < 0.5:
            self.keep(batch[0], batch[0].send(cursor))
        else:
            self.transaction(cursor, batch)

    def keep(self, operation, answer):
        with mutex:
            answers[operation.uuid].append(answer)

    def repeat(self, cursor, operation):
        """The same again, or something else under the same UUID."""
        if self.rnd.random() < 0.7 or operation.has_other:
            self.keep(operation, operation.send(cursor))
            return
        cursor.execute("SELECT intake.operation_status(%s)",
                       (operation.uuid,))
        if cursor.fetchone()[0] != "succeeded":
            return
        operation.has_other = True
        operation.send(cursor, more="\n")
        fault("other content was taken", operation.uuid)

    def transaction(self, cursor, batch):
        level = self.rnd.choice(("READ COMMITTED", "READ COMMITTED",
                                 "REPEATABLE READ", "SERIALIZABLE"))
        if any(one.needs_read_committed() for one in batch):
            level = "READ COMMITTED"
        cursor.execute("BEGIN ISOLATION LEVEL " + level)
        done = [(one, answer) for one in batch
                for answer in self.step(cursor, one)]
        end = self.rnd.random()
        if end < 0.1:
            cursor.execute("ROLLBACK")
        elif end < 0.3:
            self.prepare(cursor)
        else:
            cursor.execute("COMMIT")
            for one, answer in done:
                self.keep(one, answer)

    def step(self, cursor, operation):
        """Within a transaction; returns the answers that count."""
        if self.rnd.random() < 0.7:
            return [operation.send(cursor)]
        cursor.execute("SAVEPOINT before")
        try:
            answer = operation.send(cursor)
            if self.rnd.random() < 0.5:
                return [answer, operation.send(cursor)]
        except psycopg2.Error as error:
            if self.connection.closed or error.pgcode not in self.usual:
                raise
        cursor.execute("ROLLBACK TO before")
        return []

    def prepare(self, cursor):
        name = "%032x" % self.rnd.getrandbits(128)
        cursor.execute("PREPARE TRANSACTION '%s'" % name)
        command = self.rnd.choice(("COMMIT", "COMMIT", "ROLLBACK"))
        for _ in range(20):
            try:
                cursor.execute("%s PREPARED '%s'" % (command, name))
                return
            except psycopg2.Error as error:
                # it is done, and the answer was lost
                if error.pgcode == "42704":
                    return
                if self.connection.closed:
                    self.connection = connect(self.user)
                    cursor = self.connection.cursor()


class Writer(Meddler):
    """Plain statements, and a log of how many rows they have brought."""

    def act(self, cursor):
        table = self.rnd.choice([one for one in TABLES
                                 if one.startswith("busy_")])
        cursor.execute("BEGIN")
        for _ in range(self.rnd.choice((1, 1, 3))):
            self.write(cursor, table, self.rnd.randrange(400),
                       self.rnd.randrange(12))
        cursor.execute("COMMIT")

    def write(self, cursor, table, key, k):
        sign, statement, values = self.rnd.choice((
            (0, "UPDATE {} SET v = v || 'u', c = c + 1 WHERE id = %s", (key,)),
            (0, "UPDATE {} SET k = %s WHERE k = %s AND id < 400", (k + 1, k)),
            (0, "UPDATE {} SET id = %s WHERE id = %s", (400 - key, key)),
            (-1, "DELETE FROM {} WHERE id = %s", (key,)),
            (-1, "DELETE FROM {} WHERE k = %s", (k,)),
            (1, "INSERT INTO {} (id, k) VALUES (%s, %s)", (key, k))))
        cursor.execute(statement.format(table), values)
        cursor.execute("INSERT INTO written VALUES (%s, %s)",
                       (table, sign * cursor.rowcount))


class Builder(Meddler):
    """Alters, rebuilds and vacuums the tables."""

    user = "postgres"
    # two builds of one name; a rebuild that a cancel has left; a partition
    usual = USUAL + ("42P07", "42704", "0A000")

    def act(self, cursor):
        table = self.rnd.choice(TABLES)
        kind = table.split("_", 1)[1]
        commands = [
            "VACUUM @", "VACUUM (FREEZE, INDEX_CLEANUP ON) @", "ANALYZE @",
            "REINDEX TABLE @", "REINDEX TABLE CONCURRENTLY @",
            "ALTER TABLE @ ADD COLUMN more int DEFAULT 1; "
            "ALTER TABLE @ DROP COLUMN more",
            "DROP INDEX IF EXISTS @_extra", "CREATE INDEX @_extra ON @ (n)"]
        if kind in ("hash", "list"):
            commands.append("BEGIN; ALTER TABLE @ DETACH PARTITION @_0; "
                            "ALTER TABLE @ ATTACH PARTITION @_0 "
                            + KINDS[kind].split("@_0 PARTITION OF @ ")[1]
                            .split(";")[0] + "; COMMIT")
        if kind not in PARTITIONED_KINDS:
            commands += ["VACUUM FULL @", "DROP INDEX CONCURRENTLY @_extra",
                         "CREATE INDEX CONCURRENTLY @_extra ON @ (c, v)"]
        cursor.execute(self.rnd.choice(commands).replace("@", table))


class Canceller(Meddler):
    user = "postgres"

    def act(self, cursor):
        stopping.wait(self.rnd.random() / 5)
        cursor.execute(
            "SELECT %s(%%s)" % self.rnd.choice(
                ("pg_cancel_backend", "pg_cancel_backend",
                 "pg_terminate_backend")),
            (self.rnd.choice(list(pids.values())),))


def kill_backend():
    """One that the server has; the server recovers."""
    cursor = connect("postgres").cursor()
    cursor.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'writer' "
                   "ORDER BY state = 'active' DESC LIMIT 1")
    for pid, in cursor.fetchall():
        os.kill(pid, signal.SIGKILL)


def set_up(cursor):
    cursor.execute("""
        CREATE TABLE parent AS SELECT k FROM generate_series(0, 20) k;
        ALTER TABLE parent ADD PRIMARY KEY (k);
        CREATE TABLE written (tab text, nrows int);
        CREATE TABLE noted (tab text, op text);
        CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                RETURN OLD;
            END IF;
            NEW.v := NEW.v || '';
            RETURN NEW;
        END $$;
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO noted VALUES (TG_TABLE_NAME, lower(TG_OP));
            RETURN NULL;
        END $$""")
    for table in TABLES:
        kind = table.split("_", 1)[1]
        cursor.execute(KINDS[kind].replace("@", table))
    cursor.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO writer")


def check_operations(cursor):
    """Replays what is on record; returns the models and sums by table."""
    models = {table: Rows() for table in TABLES}
    sums = {table: collections.Counter() for table in TABLES}
    seen = set()
    cursor.execute("""
        SELECT operation::text, rows_received, rows_inserted, rows_updated,
            rows_deleted, rows_skipped, rows_rejected
        FROM intake.operation
        ORDER BY pg_xact_commit_timestamp(xmin), sys_cn""")
    for name, *counters in cursor.fetchall():
        operation = operations[name]
        if name in seen:
            fault("twice on record:", name)
        seen.add(name)
        sums[operation.table].update(dict(zip(
            ("insert", "update", "delete"), counters[1:4])))
        for answer in answers[name]:
            if list(answer[1:]) != counters:
                fault("answer", answer, "record", counters, operation.table)
        if operation.table.startswith("quiet_"):
            expected = models[operation.table].apply(operation)
            if expected != counters:
                fault(operation.table, operation.mode, operation.options,
                      "counted", counters, "not", expected)
    for name, given in answers.items():
        if name not in seen:
            fault("lost:", name, given)
        if sum(not answer[0] for answer in given) > 1:
            fault("done twice:", name, given)
    return models, sums, len(seen)


def check_table(cursor, table, model, sums):
    cursor.execute("SELECT id, k, v, n, c FROM " + table)
    rows = collections.Counter(cursor.fetchall())
    if table.startswith("quiet_"):
        if rows != model.contents():
            fault(table, "has", rows - model.contents(), "lacks",
                  model.contents() - rows)
    else:
        cursor.execute("SELECT coalesce(sum(nrows), 0) FROM written "
                       "WHERE tab = %s", (table,))
        count = cursor.fetchone()[0] + sums["insert"] - sums["delete"]
        if sum(rows.values()) != count:
            fault(table, "has", sum(rows.values()), "rows, not", count)
    if table.startswith("quiet_noted"):
        cursor.execute("SELECT op, count(*) FROM noted WHERE tab = %s "
                       "GROUP BY 1", (table,))
        if +sums != collections.Counter(dict(cursor.fetchall())):
            fault(table, "triggers have seen other rows than", sums)


def check_storage(cursor):
    """Indexes and tables are whole; nothing is left behind."""
    cursor.execute("""
        SELECT count(bt_index_parent_check(indexrelid, true, true))
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            JOIN pg_am a ON a.oid = c.relam
        WHERE amname = 'btree' AND c.relkind = 'i' AND indisvalid
            AND relnamespace IN ('public'::regnamespace, 'intake'::regnamespace)
        """)
    cursor.execute("""
        SELECT c.oid::regclass, msg FROM pg_class c, verify_heapam(c.oid)
        WHERE relkind = 'r'
            AND relnamespace IN ('public'::regnamespace, 'intake'::regnamespace)
        """)
    for damage in cursor.fetchall():
        fault("damage:", damage)
    cursor.execute("SELECT * FROM pg_locks WHERE locktype = 'advisory'")
    for lock in cursor.fetchall():
        fault("a lock is left:", lock)
    cursor.execute("SELECT name FROM pg_ls_tmpdir()")
    for name in cursor.fetchall():
        fault("a temporary file is left:", name)


def finish(cursor):
    """Ends what was prepared, and waits for sessions that were lost."""
    cursor.execute("SELECT gid FROM pg_prepared_xacts")
    for name, in cursor.fetchall():
        cursor.execute("ROLLBACK PREPARED '%s'" % name)
    while True:
        cursor.execute("SELECT count(*) FROM pg_stat_activity "
                       "WHERE usename = 'writer'")
        if cursor.fetchone()[0] == 0:
            return
        time.sleep(0.05)


def main():
    set_up(connect("postgres").cursor())
    threads = [Uploader(number) for number in range(4)]
    threads += [Writer(0), Builder(0), Canceller(0)]
    for thread in threads:
        thread.start()
    stopping.wait(SECONDS / 2)
    kill_backend()
    stopping.wait(SECONDS / 2)
    stopping.set()
    for thread in threads:
        thread.join()
    cursor = connect("postgres").cursor()
    finish(cursor)
    models, sums, count = check_operations(cursor)
    for table in TABLES:
        check_table(cursor, table, models[table], sums[table])
    check_storage(cursor)
    print(count, "operations")
    for one in faults[:20]:
        print(one[:1000])
    sys.exit(1 if faults else 0)


CONNINFO, SEED, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
TABLES = [prefix + kind for prefix in ("quiet_", "busy_") for kind in KINDS]

if __name__ == "__main__":
    main()
