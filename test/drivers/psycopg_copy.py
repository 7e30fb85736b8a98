#!/usr/bin/python3
"""COPY through psycopg2 (CONNINFO FILE): what the README shows, and what a
driver may do besides.  Prints one line a step."""

import io
import sys

import psycopg2

COPY = "COPY sales FROM STDIN (FORMAT ndjson, MODE merge, OPERATION '{}')"


def operation_uuid(cursor, *parts):
    cursor.execute("SELECT intake.operation_uuid(VARIADIC %s)", (list(parts),))
    return cursor.fetchone()[0]


def load(connection, file, *parts):
    """Loads a file; a repeat with the same parts loads nothing."""
    with connection, connection.cursor() as cursor:
        uuid = operation_uuid(cursor, *parts)
        cursor.copy_expert(COPY.format(uuid), file)
        return cursor.rowcount


class Broken(io.BytesIO):
    """A file that cannot be read to its end."""

    reads = 0

    def read(self, size=-1):
        self.reads += 1
        if self.reads > 1:
            raise OSError("the disk is gone")
        return super().read(size)


def main(conninfo, path):
    connection = psycopg2.connect(conninfo)
    for day in ("monday", "monday", "tuesday"):
        with open(path, "rb") as file:
            print(day, load(connection, file, "sales", day))
        print(connection.notices[-1].splitlines()[0].split(" ", 4)[4])
    try:
        load(connection, Broken(b'{"id": 90000, "note": "x"}\n'), "sales", "broken")
    except psycopg2.Error as error:
        print(error.pgcode, str(error).splitlines()[0])
    print("repaired", load(connection, io.BytesIO(b'{"id": 90001}\n'),
                           "sales", "broken"))
    try:
        load(connection, io.BytesIO(b'{"id": 90002}\n[' + b"7" * 100000),
             "sales", "bad")
    except psycopg2.Error as error:
        print(error.pgcode)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(*) FILTER (WHERE id >= 90000) FROM sales")
        print(*cursor.fetchone())


main(sys.argv[1], sys.argv[2])
