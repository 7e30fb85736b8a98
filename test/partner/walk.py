#!/usr/bin/python3
"""walk.py: the walk of walk.sh in another language, with a JWT library of
others: python3-jwt signs, http.client speaks.

    walk.py URL FILE KEY

prints the client's id and the row counts of the three writes.
"""

import http.client
import json
import re
import shlex
import sys
import time
import urllib.parse
import uuid

import jwt

MONTH = "date_trunc('month', Day)"
SCHEMA = [
    {"name": "Country", "type": "string"},
    {"name": "City", "type": "string"},
    {"name": "Goods quantity", "type": "float"},
    {"name": "Day", "type": "date", "nullable": True},
]


class Partner:
    """A client of one connection."""

    def __init__(self, url, values, key):
        self.url = url
        self.values = values
        self.key = key
        self.api = "/provider/v1/connection/" + values["connection_id"]
        self.headers = {}

    def call(self, method, path, body=None, **headers):
        """The JSON of the answer, which must be 2xx."""
        place = urllib.parse.urlsplit(self.url)
        peer = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
        named = {n.replace("_", "-"): v for n, v in headers.items()}
        peer.request(method, path, body, {**self.headers, **named})
        answer = peer.getresponse()
        text = answer.read().decode()
        peer.close()
        if answer.status // 100 != 2:
            raise SystemExit(f"{method} {path}: {answer.status} {text}")
        return json.loads(text) if text else None

    def make_jwt(self):
        now = int(time.time())
        claims = {
            "iss": self.values["service_account_id"],
            "aud": self.url + "/iam/v1/tokens",
            "iat": now,
            "exp": now + 3600,
        }
        return jwt.encode(claims, self.key, algorithm="PS256",
                          headers={"kid": self.values["svc_acct_key_id"]})

    def enter(self):
        answer = self.call("POST", "/iam/v1/tokens",
                           json.dumps({"jwt": self.make_jwt()}),
                           Content_Type="application/json")
        self.headers["Authorization"] = "Bearer " + answer["iamToken"]
        answer = self.call("POST", self.api + "/client-id")
        self.headers["X-DL-Client-Id"] = answer["client_id"]

    def define(self):
        definition = {"title": "Goods", "replacing_key": ["Country", "City"],
                      "partition_key": [MONTH], "schema": SCHEMA}
        self.call("POST", self.api + "/table/goods/definition",
                  json.dumps(definition), Content_Type="application/json")

    def write(self, operation, rows):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        return self.call("POST", self.api + "/table/goods/data", lines,
                         X_DL_Operation_UUID=operation,
                         X_DL_Data_Format="array",
                         Content_Type="application/x-ndjson")["row_count"]

    def delete(self, month):
        body = {"partitions": [{MONTH: month}]}
        return self.call("DELETE", self.api + "/table/goods/data",
                         json.dumps(body), Content_Type="application/json")


def read_values(name):
    """The assignments of a file of the shell."""
    values = {}
    with open(name, encoding="utf-8") as file:
        for name, value in re.findall(r"^(\w+)=(.*)$", file.read(), re.M):
            values[name] = "".join(shlex.split(value))
    return values


def main():
    url, values, key = sys.argv[1:]
    with open(key, encoding="ascii") as file:
        partner = Partner(url, read_values(values), file.read())
    partner.enter()
    print("client_id", partner.headers["X-DL-Client-Id"])
    partner.define()
    first = str(uuid.uuid4())
    rows = [["Russia", "Moscow", 1, "2024-06-30"],
            ["Russia", "Kazan", 2.1, "2024-07-01"],
            ["Russia", "Kazan", 2.2, "2024-07-31"]]
    print("written", partner.write(first, rows))
    print("again", partner.write(first, rows))
    print("replaced", partner.write(str(uuid.uuid4()),
                                    [["Russia", "Kazan", 10, "2024-08-01"]]))
    print("deleted", json.dumps(partner.delete("2024-06-01")
                                ["deleted_partition_keys"]))


main()
