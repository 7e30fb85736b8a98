#!/usr/bin/python3
"""Makes random Avro files and what libavro reads from them.

    generate.py DIRECTORY SEED COUNT

Each case NNN gets

    cNNN.sql         table cNNN to load into, table cNNN_raw for the rows
                     that libavro reads, and view cNNN_expected, which makes
                     of those rows what the table should hold
    cNNN.rows        the rows, as COPY text (avro_to_rows)
    cNNN-W-C.avro    the file by writer W (python, libavro) in codec C; the
                     codecs that no writer has are filled in by container.py

The same seed makes the same cases.  libavro knows no logical types and
python3-avro not all of them, so records are written as plain numbers and
bytes, with the whole schema put into the header afterwards; the view says
in SQL what the logical types mean.  Arrays of items without bytes (empty
records, fixed of size 0) are left out: libavro cannot read them.
"""

import copy
import io
import json
import os
import random
import subprocess
import sys

import avro.codecs
import avro.datafile
import avro.io
import avro.schema

import container

# Where the Makefile has put the programs.
BUILD = os.environ.get(
    "AVRO_BUILD",
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "build"),
)
LIBAVRO_CODECS = ["null", "deflate", "snappy"]

MIN_LONG, MAX_LONG = -(2**63), 2**63 - 1
MICROS_OF_YEAR_1 = -62135596800 * 10**6
MICROS_OF_YEAR_9999 = 253402300799 * 10**6


class Type:
    """An Avro type: schema, random values, columns and their relation."""

    def __init__(self, schema, value, column, raw, meaning="{}"):
        self.schema = schema
        self.value = value
        self.column = column
        self.raw = raw
        self.meaning = meaning


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = 0

    def name(self, prefix):
        self.names += 1
        return "%s%d" % (prefix, self.names)

    # values

    def integer(self, low, high):
        pick = self.random.random()
        if pick < 0.1:
            return self.random.choice([low, high])
        if pick < 0.4:
            return self.random.randint(max(low, -100), min(high, 100))
        return self.random.randint(low, high)

    def double(self):
        return self.random.choice(
            [
                lambda: self.random.uniform(-1000, 1000),
                lambda: self.random.gauss(0, 1) * 10 ** self.random.randint(-30, 30),
                lambda: float(self.random.randint(-(10**9), 10**9)),
                lambda: 0.0,
            ]
        )()

    def single(self):
        # what a float holds
        import struct

        return struct.unpack("<f", struct.pack("<f", self.double()))[0]

    def short(self):
        # one shortest text, whichever way that is looked for
        return self.random.randint(-80000, 80000) / 8

    def text(self):
        letters = "abcXYZ019 \t\n\r\\\"',;{}[]:/\x01\x7fäß€汉🙂"
        length = self.random.choice([0, 1, 3, 8, 20, 70, 200])
        return "".join(self.random.choice(letters) for _ in range(length))

    def bytes(self, length=None):
        if length is None:
            length = self.random.choice([0, 1, 2, 5, 16, 40])
        return bytes(self.random.randrange(256) for _ in range(length))

    def unscaled(self, digits, length=None):
        number = self.random.randint(-(10**digits) + 1, 10**digits - 1)
        if length is None:
            length = number.bit_length() // 8 + 1
        return number.to_bytes(length, "big", signed=True)

    # types

    def primitive(self, is_nested=False):
        single = self.short if is_nested else self.single
        double = self.short if is_nested else self.double
        return self.random.choice(
            [
                lambda: Type("boolean", lambda: self.random.random() < 0.5,
                             "boolean", "boolean"),
                lambda: Type("int", lambda: self.integer(-(2**31), 2**31 - 1),
                             self.random.choice(["int", "bigint", "numeric", "float8"]),
                             "int"),
                lambda: Type("long", lambda: self.integer(MIN_LONG, MAX_LONG),
                             self.random.choice(["bigint", "numeric"]),
                             "bigint"),
                lambda: Type("float", single,
                             self.random.choice(["real", "float8"]),
                             "real"),
                lambda: Type("double", double, "float8", "float8"),
                lambda: Type("bytes", self.bytes, "bytea", "bytea"),
                lambda: Type("string", self.text,
                             self.random.choice(["text", "varchar"]), "text"),
            ]
        )()

    def named(self):
        def fixed():
            size = self.random.choice([1, 7, 16, 33])
            schema = {"type": "fixed", "name": self.name("Fixed"), "size": size}
            return Type(schema, lambda: self.bytes(size), "bytea", "bytea")

        def enum():
            symbols = [self.name("S") for _ in range(self.random.randint(1, 90))]
            schema = {"type": "enum", "name": self.name("Enum"), "symbols": symbols}
            return Type(schema, lambda: self.random.choice(symbols), "text",
                        "text")

        return self.random.choice([fixed, enum])()

    def logical(self):
        def on(base, name, value, column, raw, meaning):
            return lambda: Type({"type": base, "logicalType": name}, value,
                                column, raw, meaning)

        def instant(divisor):
            return lambda: self.random.randint(
                MICROS_OF_YEAR_1, MICROS_OF_YEAR_9999) // divisor

        local_millis = "instant_of({}, 86400000)"
        local_micros = "instant_of({}, 86400000000)"
        millis = local_millis + " AT TIME ZONE 'UTC'"
        micros = local_micros + " AT TIME ZONE 'UTC'"

        def decimal():
            precision = self.random.choice([1, 4, 9, 18, 30, 60])
            scale = self.random.randint(0, precision)
            attributes = {"logicalType": "decimal", "precision": precision,
                          "scale": scale}
            meaning = "decimal_of({}, %d)" % scale
            if self.random.random() < 0.5:
                return Type(dict(attributes, type="bytes"),
                            lambda: self.unscaled(precision), "numeric",
                            "bytea", meaning)
            size = precision // 2 + 2
            return Type(dict(attributes, type="fixed", size=size,
                             name=self.name("Decimal")),
                        lambda: self.unscaled(precision, size), "numeric",
                        "bytea", meaning)

        def duration():
            schema = {"type": "fixed", "size": 12, "name": self.name("Duration"),
                      "logicalType": "duration"}
            value = lambda: b"".join(
                self.random.randint(0, 99999).to_bytes(4, "little")
                for _ in range(3))
            return Type(schema, value, "interval", "bytea", "duration_of({})")

        def uuid_text():
            import uuid

            return str(uuid.UUID(bytes=self.bytes(16)))

        def uuid_fixed():
            schema = {"type": "fixed", "size": 16, "name": self.name("Uuid"),
                      "logicalType": "uuid"}
            return Type(schema, lambda: self.bytes(16), "uuid", "bytea",
                        "encode({}, 'hex')::uuid")

        def ignored():
            # not a valid logical type: the plain type counts
            return Type({"type": "int", "logicalType": "timestamp-micros"},
                        lambda: self.integer(-1000, 1000), "int", "int")

        return self.random.choice(
            [
                on("int", "date", lambda: self.random.randint(-700000, 2900000),
                   "date", "int", "date '1970-01-01' + {}"),
                on("int", "time-millis", lambda: self.random.randint(0, 86399999),
                   "time", "int", "time '00:00' + {} * interval '1 millisecond'"),
                on("long", "time-micros",
                   lambda: self.random.randint(0, 86399999999), "time", "bigint",
                   "time '00:00' + {} * interval '1 microsecond'"),
                on("long", "timestamp-millis", instant(1000), "timestamptz",
                   "bigint", millis),
                on("long", "timestamp-micros", instant(1), "timestamptz",
                   "bigint", micros),
                on("long", "timestamp-micros", instant(1), "timestamp",
                   "bigint", local_micros),
                on("long", "local-timestamp-millis", instant(1000), "timestamp",
                   "bigint", local_millis),
                on("long", "local-timestamp-micros", instant(1), "timestamp",
                   "bigint", local_micros),
                on("string", "uuid", uuid_text, "uuid", "text", "{}::uuid"),
                decimal, decimal, duration, uuid_fixed, ignored,
            ]
        )()

    def nullable(self, inner):
        branches = ["null", inner.schema]
        if self.random.random() < 0.3:
            branches.reverse()
        return Type(branches,
                    lambda: None if self.random.random() < 0.3 else inner.value(),
                    inner.column, inner.raw, inner.meaning)

    def variants(self):
        """A union of several types in one jsonb column's value."""
        inners = [Type("null", lambda: None, None, None),
                  Type("string", self.text, None, None),
                  Type("boolean", lambda: self.random.random() < 0.5, None, None),
                  Type("long", lambda: self.integer(MIN_LONG, MAX_LONG), None, None)]
        self.random.shuffle(inners)
        return Type([inner.schema for inner in inners],
                    lambda: self.random.choice(inners).value(), None, None)

    def item(self, depth):
        """A type that may be nested."""
        pick = self.random.random()
        if depth < 3 and pick < 0.3:
            return self.nested(depth + 1)
        if pick < 0.5:
            return self.nullable(self.primitive(is_nested=True))
        if pick < 0.6:
            return self.variants()
        if pick < 0.75:
            return self.named()
        return self.primitive(is_nested=True)

    def nested(self, depth=0):
        def array():
            item = self.item(depth)
            return Type({"type": "array", "items": item.schema},
                        lambda: [item.value() for _ in range(self.random.randint(0, 5))],
                        "jsonb", "jsonb")

        def map_():
            item = self.item(depth)
            return Type({"type": "map", "values": item.schema},
                        lambda: {self.text(): item.value()
                                 for _ in range(self.random.randint(0, 4))},
                        "jsonb", "jsonb")

        def record():
            items = {self.name("m"): self.item(depth)
                     for _ in range(self.random.randint(1, 5))}
            schema = {"type": "record", "name": self.name("Record"),
                      "fields": [{"name": name, "type": item.schema}
                                 for name, item in items.items()]}
            return Type(schema,
                        lambda: {name: item.value() for name, item in items.items()},
                        "jsonb", "jsonb")

        def chain():
            name = self.name("Chain")
            schema = {"type": "record", "name": name, "namespace": "list",
                      "fields": [{"name": "value", "type": "long"},
                                 {"name": "next", "type": ["null", name]}]}

            def value():
                link = None
                for number in range(self.random.randint(1, 6)):
                    link = {"value": number, "next": link}
                return link

            return Type(schema, value, "jsonb", "jsonb")

        return self.random.choice([array, map_, record, chain])()

    def sql_array(self):
        base, column = self.random.choice(
            [("int", "int"), ("long", "bigint"), ("string", "text"),
             ("double", "float8")])
        values = {"int": lambda: self.integer(-(2**31), 2**31 - 1),
                  "long": lambda: self.integer(MIN_LONG, MAX_LONG),
                  "string": self.text, "double": self.double}
        return Type({"type": "array", "items": ["null", base]},
                    lambda: [None if self.random.random() < 0.2 else values[base]()
                             for _ in range(self.random.randint(0, 5))],
                    column + "[]", "jsonb",
                    "(SELECT coalesce(array_agg(e::%s ORDER BY n), '{{}}')"
                    " FROM jsonb_array_elements_text({}) WITH ORDINALITY a(e, n))"
                    % column)

    def field_type(self):
        made = self.random.choice(
            [self.primitive, self.primitive, self.named, self.logical,
             self.logical, self.nested, self.sql_array])()
        if self.random.random() < 0.5 and made.column[-1] != "]":
            made = self.nullable(made)
        return made


def strip_logical(schema):
    """The schema without logical types, so that plain values are written."""
    if isinstance(schema, list):
        return [strip_logical(branch) for branch in schema]
    if isinstance(schema, dict):
        return {key: value if key == "symbols" else strip_logical(value)
                for key, value in schema.items()
                if key not in ("logicalType", "precision", "scale")}
    return schema


class Case:
    def __init__(self, directory, number, seed):
        self.maker = Maker(seed)
        self.random = self.maker.random
        self.name = "c%03d" % number
        self.directory = directory
        self.fields = []
        for field in range(self.random.randint(1, 12)):
            self.fields.append((("f%d" % field), self.maker.field_type()))
        self.schema = self.make_schema()
        self.text = json.dumps(self.schema)
        self.records = [
            {field["name"]: made.value()
             for field, (_, made) in zip(self.schema["fields"], self.fields)}
            for _ in range(self.random.choice([0, 1, 30, 300]))
        ]

    def path(self, suffix):
        return os.path.join(self.directory, self.name + suffix)

    def make_schema(self):
        fields = []
        for name, made in self.fields:
            field = {"name": name, "type": made.schema}
            pick = self.random.random()
            if pick < 0.1:
                field = {"name": "old_" + name, "type": made.schema,
                         "aliases": ["older_" + name, name]}
            elif isinstance(made.schema, dict) and pick < 0.6 and \
                    made.schema["type"] in ("int", "long", "string", "bytes"):
                # Prostore's form: the logical type beside the plain one
                field = dict(made.schema, name=name)
            fields.append(field)
        return {"type": "record", "name": "Row", "namespace": "test.generated",
                "fields": fields}

    def write_sql(self):
        columns = ["no int GENERATED ALWAYS AS IDENTITY"]
        raw = ["no int GENERATED ALWAYS AS IDENTITY"]
        meanings = ["no"]
        for name, made in self.fields:
            columns.append("%s %s" % (name, made.column))
            raw.append("%s %s" % (name, made.raw))
            meanings.append("CASE WHEN {0} IS NOT NULL THEN ({1})::{2} END AS {0}"
                            .format(name, made.meaning.format(name), made.column))
        with open(self.path(".sql"), "w", encoding="utf-8") as file:
            file.write("CREATE TABLE %s (%s);\n" % (self.name, ", ".join(columns)))
            file.write("CREATE TABLE %s_raw (%s);\n" % (self.name, ", ".join(raw)))
            file.write("CREATE VIEW %s_expected AS SELECT %s FROM %s_raw;\n"
                       % (self.name, ", ".join(meanings), self.name))

    def python_file(self, codec):
        buffer = io.BytesIO()
        buffer.close_really, buffer.close = buffer.close, lambda: None
        plain = avro.schema.parse(json.dumps(strip_logical(copy.deepcopy(self.schema))))
        writer = avro.datafile.DataFileWriter(buffer, avro.io.DatumWriter(),
                                              plain, codec=codec)
        for record in self.records:
            writer.append(record)
            if self.random.random() < 0.02:
                writer.sync()
        writer.close()
        return container.rewrite(buffer.getvalue(), schema=self.text)

    def write_file(self, writer, codec, content):
        with open(self.path("-%s-%s.avro" % (writer, codec)), "wb") as file:
            file.write(content)

    def write_files(self):
        plain = self.python_file("null")
        self.write_file("python", "null", plain)
        written = set(avro.codecs.KNOWN_CODECS)
        for codec in sorted(set(container.CODECS) - {"null"}):
            if codec in written:
                content = self.python_file(codec)
            else:
                content = container.rewrite(plain, codec=codec)
            self.write_file("python", codec, content)

        source = self.path("-python-null.avro")
        with open(self.path(".rows"), "wb") as file:
            subprocess.run([os.path.join(BUILD, "avro_to_rows"), source],
                           stdout=file, check=True)
        for codec in LIBAVRO_CODECS:
            target = self.path("-libavro-%s.avro" % codec)
            subprocess.run([os.path.join(BUILD, "avro_recode"), codec, source,
                            target], check=True)
            with open(target, "rb") as file:
                content = file.read()
            self.write_file("libavro", codec,
                            container.rewrite(content, schema=self.text))


def main():
    directory, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.makedirs(directory, exist_ok=True)
    for number in range(count):
        case = Case(directory, number, "%d/%d" % (seed, number))
        case.write_sql()
        case.write_files()


if __name__ == "__main__":
    main()
