#!/usr/bin/python3
"""Makes Avro files that are broken, hostile or merely unusual.

    make_edge.py DIRECTORY

Writes NAME.avro for each case and index.json, which says of each: the
columns of a table to load it into, the options, settings, and either the
rows that are in the table afterwards or the SQLSTATE and part of the message
of the error.  Bytes are put together by container.py, since writers refuse to
write most of this.  Expectations come from the Avro specification.
"""

import json
import os
import struct
import sys

from container import CODECS, SYNC, block, data, header, long, metadata, MAGIC

STRUCTURE = "22P04"  # bad_copy_file_format
LIMIT = "54000"
CASES = []


def record(*fields, name="Row"):
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": name, "type": type} for name, type in fields],
    }


def add(name, columns, content, **expected):
    assert name not in [case["name"] for case in CASES]
    CASES.append(dict(expected, name=name, columns=columns, content=content))


def file(schema, *records, codec=None):
    raw = b"".join(records)
    if codec is not None:
        raw = CODECS[codec](raw)
    if not isinstance(schema, str):
        schema = json.dumps(schema)
    return header(schema, codec) + (block(len(records), raw) if records else b"")


def value_case(name, type, column, value, **expected):
    """One record of one field."""
    add(name, "v " + column, file(record(("v", type)), value), **expected)


def schema_case(name, schema, message, error=STRUCTURE):
    add(name, "v text", file(schema), error=error, message=message)


ONE = record(("v", "long"))
HEAD = header(json.dumps(ONE))
BLOCK = block(2, long(7) + long(8))


def containers():
    def bad(name, content, message, error=STRUCTURE, **more):
        add(name, "v bigint", content, error=error, message=message, **more)

    def good(name, content, rows):
        add(name, "v bigint", content, rows=rows)

    good("no_blocks", HEAD, [])
    good("two_blocks", HEAD + BLOCK + BLOCK, ["(7)", "(8)", "(7)", "(8)"])
    good("empty_block", HEAD + block(0, b"") + BLOCK, ["(7)", "(8)"])
    good("null_by_name", header(json.dumps(ONE), "null") + BLOCK, ["(7)", "(8)"])
    sized = data("avro.schema") + data(json.dumps(ONE))
    good("sized_metadata",
         MAGIC + long(-1) + long(len(sized)) + sized + long(0) + SYNC + BLOCK,
         ["(7)", "(8)"])

    bad("empty", b"", "payload is empty")
    bad("not_avro", b"id,name\n1,x\n", "not an Avro container file")
    bad("magic_only", MAGIC, "ends inside its header")
    bad("cut_header", HEAD[:40], "ends inside its header")
    bad("cut_header_sync", HEAD[:-1], "ends inside its header")
    bad("no_schema", MAGIC + metadata({"avro.codec": "null"}) + SYNC, "has no schema")
    bad("negative_key", MAGIC + long(1) + long(-5), "not an Avro container file")
    bad("unknown_codec", header(json.dumps(ONE), "lzma") + BLOCK,
        'unknown Avro codec "lzma"')
    bad("unknown_codec_bytes",
        MAGIC + metadata({"avro.schema": json.dumps(ONE), "avro.codec": b"\xff\0"})
        + SYNC, "unknown Avro codec")

    bad("cut_count", HEAD + b"\x80", "ends inside the head of a block")
    bad("cut_size", HEAD + long(2), "ends inside the head of a block")
    bad("cut_block", HEAD + long(2) + long(50) + b"x", "ends inside a block")
    bad("cut_sync", HEAD + BLOCK[:-1], "ends inside a sync marker")
    bad("no_sync", HEAD + BLOCK[:-16], "ends inside a sync marker")
    bad("wrong_sync", HEAD + block(2, long(7) + long(8), b"x" * 16), "sync marker")
    bad("wrong_second_sync", HEAD + BLOCK + block(1, long(7), b"x" * 16),
        "sync marker")
    bad("trailing_garbage", HEAD + BLOCK + b"garbage", "invalid head|ends inside")
    bad("negative_count", HEAD + block(-1, long(7)), "invalid head")
    bad("negative_size", HEAD + long(1) + long(-1) + long(7) + SYNC, "invalid head")
    bad("endless_varint", HEAD + b"\xff" * 30, "invalid head")
    bad("huge_size", HEAD + long(1) + long(2**40) + long(7) + SYNC, "is larger than",
        LIMIT)
    bad("most_size", HEAD + long(1) + long(2**63 - 1) + long(7) + SYNC,
        "is larger than", LIMIT)
    bad("huge_count", HEAD + block(2**60, long(7)), "cannot hold")
    bad("too_many_bytes", HEAD + block(1, long(7) + long(8)), "1 bytes left over")
    bad("bytes_without_records", HEAD + block(0, long(7)), "1 bytes left over")
    bad("too_few_bytes", HEAD + block(2, long(7) + b"\x80"), "ends inside a record")
    bad("no_bytes", HEAD + block(1, b""), "cannot hold")


def codecs():
    raw = b"".join(long(number) for number in range(1000))
    schema = json.dumps(ONE)
    rows = ["(%d)" % number for number in range(1000)]

    for codec, compress in CODECS.items():
        add("codec_" + codec, "v bigint",
            header(schema, codec) + block(1000, compress(raw)), rows=rows)
        if codec == "null":
            continue
        stored = compress(raw)
        for name, content in {
            "cut": stored[:-9],
            "changed": stored[:20] + bytes([stored[20] ^ 0x55]) + stored[21:],
            "garbage": b"\xff" * 50,
            "none": b"",
            "behind": stored + b"behind",
        }.items():
            add("codec_%s_%s" % (codec, name), "v bigint",
                header(schema, codec) + block(1000, content),
                error=STRUCTURE, message="inflate|left over|inside a record|cannot hold")
        add("codec_%s_bomb" % codec, "v bigint",
            header(schema, codec) + block(3000000, compress(bytes(3000000))),
            error=LIMIT, message="inflates to more than",
            settings={"pg_intake.max_avro_block_size": "1MB"})

    # python3-avro leaves three bytes of zlib's checksum behind
    add("codec_deflate_rest", "v bigint",
        header(schema, "deflate") + block(1000, CODECS["deflate"](raw) + b"abc"),
        rows=rows)
    stored = CODECS["snappy"](raw)
    add("codec_snappy_checksum", "v bigint",
        header(schema, "snappy") + block(1000, stored[:-1] + bytes([stored[-1] ^ 1])),
        error=STRUCTURE, message="inflate")
    # the length in front says 127 bytes
    add("codec_snappy_lies", "v bigint",
        header(schema, "snappy") + block(1000, b"\x7f" + stored[2:]),
        error=STRUCTURE, message="inflate")
    # claims 4 GB, holds nothing
    add("codec_snappy_claims", "v bigint",
        header(schema, "snappy") + block(1, b"\xff\xff\xff\xff\x0f" + b"\0" * 4),
        error=LIMIT, message="inflates to more than")
    # a zstandard frame whose header says 8 bytes more than there are
    add("codec_zstandard_lies", "v bigint",
        header(schema, "zstandard")
        + block(4, b"\x28\xb5\x2f\xfd\x20\x0c" + struct.pack("<I", 4 << 3 | 1)[:3]
                + b"\2\2\2\2"),
        error=STRUCTURE, message="inflate")
    add("codec_zstandard_frame", "v bigint",
        header(schema, "zstandard")
        + block(4, b"\x28\xb5\x2f\xfd\x20\x04" + struct.pack("<I", 4 << 3 | 1)[:3]
                + b"\2\2\2\2"),
        rows=["(1)"] * 4)


def schemas():
    def array(depth):
        return '{"type":"array","items":' * depth + '"int"' + "}" * depth

    def of(text):
        return '{"type":"record","name":"R","fields":[{"name":"v","type":%s}]}' % text

    schema_case("schema_not_json", "{", "not valid JSON")
    schema_case("schema_empty", "", "not valid JSON")
    schema_case("schema_twice", '"int" "int"', "something behind|not valid JSON")
    schema_case("schema_number", "12", "no type")
    schema_case("schema_not_record", '"long"', "not a record")
    schema_case("schema_union", '["null","long"]', "not a record")
    schema_case("schema_array", array(1), "not a record")
    schema_case("schema_unknown_type", of('"varchar"'), 'no type "varchar"')
    schema_case("schema_no_name", '{"type":"record","fields":[]}', "no name")
    schema_case("schema_no_fields", '{"type":"record","name":"R"}', "not an array")
    schema_case("schema_field_no_type", '{"type":"record","name":"R","fields":[{"name":"v"}]}',
                "no type")
    schema_case("schema_field_no_name", '{"type":"record","name":"R","fields":[{"type":"int"}]}',
                "no name")
    schema_case("schema_field_twice", record(("v", "int"), ("v", "long")),
                'field "v" twice')
    schema_case("schema_member_twice", of('{"type":"int","type":"long"}'),
                'member "type" twice')
    schema_case("schema_type_twice",
                record(("v", {"type": "fixed", "name": "F", "size": 1}),
                       ("w", {"type": "fixed", "name": "F", "size": 1})),
                'type "F" is defined twice')
    schema_case("schema_primitive_redefined",
                of('{"type":"fixed","name":"int","size":4}'), 'cannot be named "int"')
    schema_case("schema_fixed_negative", of('{"type":"fixed","name":"F","size":-4}'),
                "not a number of bytes")
    schema_case("schema_fixed_no_size", of('{"type":"fixed","name":"F"}'),
                "not a number of bytes")
    schema_case("schema_fixed_huge",
                of('{"type":"fixed","name":"F","size":99999999999999999999}'),
                "not a number of bytes")
    schema_case("schema_enum_empty", of('{"type":"enum","name":"E","symbols":[]}'),
                "no symbols")
    schema_case("schema_enum_none", of('{"type":"enum","name":"E"}'), "symbols of enum")
    schema_case("schema_enum_twice", of('{"type":"enum","name":"E","symbols":["A","A"]}'),
                'symbol "A" twice')
    schema_case("schema_union_empty", of("[]"), "no types")
    schema_case("schema_union_nested", of('["null",["int"]]'), "another union")
    schema_case("schema_union_twice", of('["int","string","int"]'), 'type "int" twice')
    schema_case("schema_array_no_items", of('{"type":"array"}'), 'no "items"')
    schema_case("schema_map_no_values", of('{"type":"map"}'), 'no "values"')
    schema_case("schema_endless", of('"R"'), "cannot end")
    schema_case("schema_endless_pair",
                of('{"type":"record","name":"S","fields":[{"name":"r","type":"R"}]}'),
                "cannot end")
    schema_case("schema_deep", of(array(50000)), "nested|deep", LIMIT + "|" + STRUCTURE)
    schema_case("schema_deep_2000", of(array(2000)), "nested", LIMIT)
    schema_case("schema_long", of('"int"') + " " * 5000000, "more than", LIMIT)
    schema_case("schema_bad_escape", of('"\\ud800"'), "JSON|escape")

    # Each record holds the one before twice: 2^40 nulls, no bytes.
    types = ['{"type":"record","name":"R0","fields":[{"name":"n","type":"null"}]}']
    for number in range(1, 41):
        types.append('{"type":"record","name":"R%d","fields":[{"name":"a","type":%s},'
                     '{"name":"b","type":"R%d"}]}' % (number, types[-1], number - 1))
    add("schema_doubling_skipped", "w int",
        file(json.dumps(record(("w", "int")))[:-2] + ',{"name":"v","type":%s}]}' % types[-1],
             long(5)),
        options={"unknown": "ignore"}, rows=["(5)"])
    add("schema_doubling", "v jsonb", file(of(types[-1]), b"", b""), error=LIMIT,
        message="as JSON", settings={"pg_intake.max_record_size": "1MB"})

    # names
    inner = {"type": "fixed", "name": "F", "size": 1}
    add("names_in_namespace", "v bytea, w bytea, x bytea, y bytea", file(
        {"type": "record", "name": "R", "namespace": "a.b", "fields": [
            {"name": "v", "type": inner},
            {"name": "w", "type": "F"},
            {"name": "x", "type": "a.b.F"},
            {"name": "y", "type": {"type": "F"}}]}, b"\1\2\3\4"),
        rows=[r'("\\x01","\\x02","\\x03","\\x04")'])
    add("names_of_two_namespaces", "v bytea, w bytea, x bytea", file(
        {"type": "record", "name": "a.R", "fields": [
            {"name": "v", "type": dict(inner, namespace="b")},
            {"name": "w", "type": dict(inner, size=2)},
            {"name": "x", "type": "b.F"}]}, b"\1\2\3\4"),
        rows=[r'("\\x01","\\x0203","\\x04")'])
    add("names_inherited", "v jsonb", file(
        {"type": "record", "name": "a.R", "fields": [
            {"name": "v", "type": {"type": "record", "name": "b.S", "fields": [
                {"name": "f", "type": inner}, {"name": "g", "type": "b.F"}]}}]},
        b"\1\2"),
        rows=[r'("{""f"": ""\\\\x01"", ""g"": ""\\\\x02""}")'])
    add("namespace_behind_fields", "v bytea, w bytea", file(
        '{"fields":[{"name":"v","type":{"size":1,"name":"F","type":"fixed"}},'
        '{"type":"x.F","name":"w"}],"name":"R","type":"record","namespace":"x"}',
        b"\1\2"),
        rows=[r'("\\x01","\\x02")'])


def fields():
    two = record(("v", "int"), ("w", "int"))
    add("field_unknown", "v int", file(two, long(1) + long(2)), error="42703", message="w")
    add("field_ignored", "v int", file(two, long(1) + long(2)),
        options={"unknown": "ignore"}, rows=["(1)"])
    add("field_missing", "v int, w int, x int DEFAULT 9", file(two, long(1) + long(2)),
        rows=["(1,2,9)"])
    alias = {"type": "record", "name": "R", "fields": [
        {"name": "u", "type": "int", "aliases": ["t", "w"]},
        {"name": "v", "type": "int"}]}
    add("field_alias", "v int, w int", file(alias, long(1) + long(2)), rows=["(2,1)"])
    add("field_repeated", "v int", file(
        {"type": "record", "name": "R", "fields": [
            {"name": "u", "type": "int", "aliases": ["v"]},
            {"name": "v", "type": "int"}]}, long(1) + long(2)),
        error="42701", message="v")
    add("field_aliases_bad", "v int", file(
        {"type": "record", "name": "R", "fields": [
            {"name": "v", "type": "int", "aliases": "w"}]}, long(1)),
        error=STRUCTURE, message="aliases of field")
    skipped = [
        ("a", "null", b""), ("b", "boolean", b"\1"), ("c", "int", long(5)),
        ("d", "long", long(2**50)), ("e", "float", b"\0" * 4),
        ("f", "double", b"\0" * 8), ("g", "bytes", data("xy")),
        ("h", "string", data("xy")), ("i", ["null", "string"], long(1) + data("z")),
        ("j", {"type": "array", "items": "int"},
         long(2) + long(1) + long(2) + long(-1) + long(1) + long(3) + long(0)),
        ("k", {"type": "map", "values": "string"},
         long(1) + data("k") + data("v") + long(0)),
        ("l", {"type": "fixed", "name": "F", "size": 3}, b"abc"),
        ("m", {"type": "enum", "name": "E", "symbols": ["A", "B"]}, long(1)),
        ("n", record(("o", "string"), name="S"), data("q")),
        ("p", {"type": "array", "items": "null"}, long(1000) + long(0)),
    ]
    add("field_skips", "v int", file(
        record(*[(name, type) for name, type, _ in skipped], ("v", "int")),
        b"".join(value for _, _, value in skipped) + long(77)),
        options={"unknown": "ignore"}, rows=["(77)"])


def values():
    def structure(name, type, column, value, message):
        value_case(name, type, column, value, error=STRUCTURE, message=message)

    ints = {"type": "array", "items": "int"}
    nulls = {"type": "array", "items": "null"}
    texts = {"type": "map", "values": "string"}

    structure("value_boolean_2", "boolean", "boolean", b"\2", "invalid value")
    structure("value_int_33_bits", "int", "bigint", long(2**31), "invalid value")
    structure("value_long_65_bits", "long", "bigint", b"\xff" * 9 + b"\2",
              "invalid value")
    structure("value_string_negative", "string", "text", long(-1), "invalid value")
    structure("value_string_long", "string", "text", long(2**40) + b"x",
              "inside a record")
    structure("value_branch", ["null", "int"], "int", long(2), "no branch 2")
    structure("value_branch_negative", ["null", "int"], "int", long(-1), "no branch -1")
    structure("value_symbol", {"type": "enum", "name": "E", "symbols": ["A"]},
              "text", long(1), "no symbol 1")
    structure("value_fixed_cut", {"type": "fixed", "name": "F", "size": 999999999},
              "bytea", b"x", "cannot hold|inside a record")
    structure("value_items_many", ints, "jsonb", long(2**60) + long(1), "cannot hold")
    structure("value_items_free", nulls, "jsonb", long(2**60) + long(0), "cannot hold")
    structure("value_items_most", ints, "jsonb", b"\xff" * 9 + b"\1" + long(1),
              "invalid value")
    structure("value_items_size", ints, "jsonb",
              long(-1) + long(3) + long(1) + long(2) + long(3) + long(0),
              "invalid value")
    structure("value_map_twice", texts, "jsonb",
              long(2) + data("k") + data("a") + data("k") + data("b") + long(0),
              'key "k" twice')
    structure("value_map_twice_in_blocks", texts, "jsonb",
              (long(1) + data("k") + data("a")) * 2 + long(0), 'key "k" twice')
    value_case("value_utf8", "string", "text", data(b"a\xffb"), error="22021",
               message="UTF8")
    value_case("value_nul", "string", "text", data(b"a\0b"), error="22P05",
               message="NUL")
    value_case("value_key_utf8", texts, "jsonb",
               long(1) + data(b"\xc3") + data("a") + long(0), error="22021",
               message="UTF8")

    add("records_without_bytes", "v text",
        header(json.dumps(record(("v", "null")))) + block(3, b""),
        rows=["()"] * 3)
    add("records_without_bytes_many", "v text",
        header(json.dumps(record(("v", "null")))) + block(2**50, b""),
        error=STRUCTURE, message="cannot hold")

    chain = {"type": "record", "name": "C", "fields": [
        {"name": "n", "type": ["null", "C"]}]}
    value_case("value_chain", chain, "jsonb", long(1) * 3 + long(0),
               rows=['("{""n"": {""n"": {""n"": {""n"": null}}}}")'])
    value_case("value_deep", chain, "jsonb", long(1) * 100000 + long(0), error=LIMIT,
               message="nested")
    add("value_deep_skipped", "w int",
        file(record(("w", "int"), ("v", chain)), long(1) + long(1) * 100000 + long(0)),
        options={"unknown": "ignore"}, error=LIMIT, message="nested")
    value_case("value_long_json", {"type": "array", "items": "bytes"}, "jsonb",
               long(1) + data(bytes(1500000)) + long(0), error=LIMIT,
               message="as JSON", settings={"pg_intake.max_record_size": "1MB"})

    nan = struct.pack("<d", float("nan"))
    value_case("value_nan", "double", "float8", nan, rows=["(NaN)"])
    value_case("value_infinity", "float", "float8", struct.pack("<f", float("-inf")),
               rows=["(-Infinity)"])
    doubles = {"type": "array", "items": "double"}
    value_case("value_nan_in_jsonb", doubles, "jsonb", long(1) + nan + long(0),
               error="22P02", message="NaN")
    value_case("value_nan_in_array", doubles, "float8[]", long(1) + nan + long(0),
               rows=["({NaN})"])
    value_case("value_sized_items", ints, "int[]",
               long(-2) + long(2) + long(1) + long(2) + long(1) + long(3) + long(0),
               rows=['("{1,2,3}")'])
    value_case("value_escapes", {"type": "array", "items": "string"}, "text[]",
               long(2) + data('"\\\n\t') + data("\x01/é") + long(0),
               rows=['("{""\\\\""\\\\\\\\\n\t"",\x01/é}")'])


def logicals():
    def logical(base, logical_type, **more):
        return dict({"type": base, "logicalType": logical_type}, **more)

    def fixed(size, logical_type, **more):
        return logical("fixed", logical_type, name="F", size=size, **more)

    duration = struct.pack("<III", 14, 3, 4500)
    cases = [
        ("date", logical("int", "date"), "date", long(-1), "(1969-12-31)"),
        ("nanos", logical("long", "timestamp-nanos"), "timestamptz", long(1500),
         '("1970-01-01 00:00:00.000002+00")'),
        ("nanos_before", logical("long", "local-timestamp-nanos"), "timestamp",
         long(-1000000), '("1969-12-31 23:59:59.999")'),
        ("instant_as_timestamp", logical("long", "timestamp-millis"), "timestamp",
         long(1), '("1970-01-01 00:00:00.001")'),
        ("duration", fixed(12, "duration"), "interval", duration,
         '("1 year 2 mons 3 days 00:00:04.5")'),
        ("uuid_fixed", fixed(16, "uuid"), "uuid", bytes(range(16)),
         "(00010203-0405-0607-0809-0a0b0c0d0e0f)"),
        ("decimal", logical("bytes", "decimal", precision=4, scale=2), "numeric",
         data(b"\xff\x85"), "(-1.23)"),
        ("decimal_long", logical("bytes", "decimal", precision=40), "numeric",
         data(b"\x7f" + b"\xff" * 15), "(%d)" % (2**127 - 1)),
        # not valid: the plain type counts
        ("decimal_precision_0", logical("bytes", "decimal", precision=0), "bytea",
         data(b"\1"), r'("\\x01")'),
        ("decimal_scale", logical("bytes", "decimal", precision=1, scale=2), "bytea",
         data(b"\1"), r'("\\x01")'),
        ("decimal_fixed_small", fixed(1, "decimal", precision=3), "bytea", b"\1",
         r'("\\x01")'),
        ("date_on_long", logical("long", "date"), "bigint", long(1), "(1)"),
        ("unknown", logical("int", "parsecs"), "int", long(1), "(1)"),
        ("duration_size", fixed(11, "duration"), "bytea", b"a" * 11,
         r'("\\x6161616161616161616161")'),
    ]
    for name, type, column, value, row in cases:
        value_case("logical_" + name, type, column, value, rows=[row])

    value_case("logical_date_far", logical("int", "date"), "date", long(2**31 - 1),
               error="22008", message="")
    value_case("logical_timestamp_far", logical("long", "timestamp-millis"),
               "timestamptz", long(2**62), error="22008", message="")
    value_case("logical_time_far", logical("long", "time-micros"), "time",
               long(86400 * 10**6 + 1), error="22008", message="")

    # Prostore's form, beside a plain type and beside a union
    for name, type, value in [("field", "long", long(1000)),
                              ("field_union", ["null", "long"], long(1) + long(1000))]:
        add("logical_" + name, "v timestamp", file(
            {"type": "record", "name": "R", "fields": [
                {"name": "v", "type": type, "logicalType": "timestamp-micros"}]},
            value), rows=['("1970-01-01 00:00:00.001")'])

    nested = record(
        ("date", logical("int", "date")),
        ("time", logical("int", "time-millis")),
        ("instant", logical("long", "timestamp-micros")),
        ("local", logical("long", "local-timestamp-millis")),
        ("decimal", logical("bytes", "decimal", precision=4, scale=2)),
        ("duration", fixed(12, "duration")),
        ("uuid", dict(fixed(16, "uuid"), name="U")),
        ("bytes", "bytes"), name="Nested")
    value_case("logical_nested", nested, "json",
               long(19000) + long(3723004) + long(1500000) + long(-1)
               + data(b"\xff\x85") + duration + bytes(range(16)) + data(b"\0\xff"),
               rows=['("{""date"":""2022-01-08"",""time"":""01:02:03.004"",'
                     '""instant"":""1970-01-01T00:00:01.5Z"",'
                     '""local"":""1969-12-31T23:59:59.999"",""decimal"":-1.23,'
                     '""duration"":""P14M3DT4.500S"",'
                     '""uuid"":""00010203-0405-0607-0809-0a0b0c0d0e0f"",'
                     r'""bytes"":""\\\\x00ff""}")'])


def main():
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)
    containers()
    codecs()
    schemas()
    fields()
    values()
    logicals()
    for case in CASES:
        with open(os.path.join(directory, case["name"] + ".avro"), "wb") as out:
            out.write(case.pop("content"))
    with open(os.path.join(directory, "index.json"), "w") as out:
        json.dump(CASES, out)


if __name__ == "__main__":
    main()
