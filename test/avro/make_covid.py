#!/usr/bin/python3
"""Writes the NDJSON and Avro twins of the CSV files in test/data.

The writers are Python's json and Debian's python3-avro, not pg_intake.  An
empty CSV field becomes null.  The result is committed; run this again only
when the CSV files change:

    /usr/bin/python3 test/avro/make_covid.py

Avro names have no blanks, so the last field of covid_days.avro is named
Increase_rate; an alias gives the column's name in the CSV file.
"""

import csv
import datetime
import hashlib
import json
import os

import avro.datafile
import avro.io
import avro.schema

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")

INTEGERS = {"UID", "code3", "Population", "Confirmed", "Recovered", "Deaths"}
FLOATS = {"Lat", "Long_", "Increase rate"}


def nullable(avro_type):
    return ["null", avro_type]


PLACES = {
    "type": "record",
    "name": "Place",
    "namespace": "org.example.covid",
    "fields": [
        {"name": "UID", "type": "long"},
        {"name": "iso2", "type": nullable("string")},
        {"name": "iso3", "type": nullable("string")},
        {"name": "code3", "type": nullable("int")},
        {"name": "FIPS", "type": nullable("string")},
        {"name": "Admin2", "type": nullable("string")},
        {"name": "Province_State", "type": nullable("string")},
        {"name": "Country_Region", "type": "string"},
        {"name": "Lat", "type": nullable("double")},
        {"name": "Long_", "type": nullable("double")},
        {"name": "Combined_Key", "type": "string"},
        {"name": "Population", "type": nullable("long")},
    ],
}

DAYS = {
    "type": "record",
    "name": "Day",
    "namespace": "org.example.covid",
    "fields": [
        {"name": "Date", "type": {"type": "int", "logicalType": "date"}},
        {"name": "Confirmed", "type": "long"},
        {"name": "Recovered", "type": "long"},
        {"name": "Deaths", "type": "long"},
        {
            "name": "Increase_rate",
            "type": nullable("double"),
            "aliases": ["Increase rate"],
        },
    ],
}


def value_of(column, text):
    if text == "":
        return None
    if column in INTEGERS:
        return int(text)
    if column in FLOATS:
        return float(text)
    return text


def read_csv(name):
    path = os.path.join(DATA, name + ".csv")
    with open(path, encoding="utf-8", newline="") as file:
        return [
            {column: value_of(column, text) for column, text in row.items()}
            for row in csv.DictReader(file)
        ]


def write_ndjson(name, rows):
    path = os.path.join(DATA, name + ".ndjson")
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            line = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
            file.write(line + "\n")


def write_avro(name, schema, rows):
    # A fixed sync marker, so that the same rows give the same file.
    marker = hashlib.md5(name.encode()).digest()
    avro.datafile.randbytes = lambda length: marker[:length]
    with open(os.path.join(DATA, name + ".avro"), "wb") as file:
        writer = avro.datafile.DataFileWriter(
            file,
            avro.io.DatumWriter(),
            avro.schema.parse(json.dumps(schema)),
            codec="deflate",
        )
        for row in rows:
            writer.append(row)
        writer.close()


def avro_day(row):
    row = dict(row)
    row["Date"] = datetime.date.fromisoformat(row["Date"])
    row["Increase_rate"] = row.pop("Increase rate")
    return row


def main():
    places = read_csv("covid_places")
    days = read_csv("covid_days")
    write_ndjson("covid_places", places)
    write_ndjson("covid_days", [list(row.values()) for row in days])
    write_avro("covid_places", PLACES, places)
    write_avro("covid_days", DAYS, [avro_day(row) for row in days])


if __name__ == "__main__":
    main()
