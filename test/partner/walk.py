#!/usr/bin/python3
"""walk.py: the way of walk.sh in another language: python3-jwt signs, urllib
speaks.

    walk.py URL VALUES KEY

URL may be https; the environment's SSL_CERT_FILE then names the CA's file.
Prints what the calls answer.
"""

import json
import sys
import time
import urllib.error
import urllib.request
import uuid

import jwt


class Partner:
    """A client of one connection."""

    def __init__(self, url, values, key):
        self.url = url
        self.values = values
        self.key = key
        self.headers = {}

    def request(self, method, url, body=None, **headers):
        """The answer's JSON, or None; ends the program unless it is 2xx."""
        headers = {n.replace("_", "-"): v for n, v in headers.items()}
        request = urllib.request.Request(
            url, None if body is None else body.encode(),
            {**self.headers, **headers}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {url}: {error.code} {error.read().decode()}")
        return json.loads(text) if text else None

    def call(self, method, path, body=None, **headers):
        api = self.url + "/provider/v1/connection/"
        return self.request(method, api + self.values["connection_id"] + path,
                            body, **headers)

    def call_json(self, method, path, body):
        return self.call(method, path, json.dumps(body),
                         Content_Type="application/json")

    def make_jwt(self, url):
        now = int(time.time())
        claims = {"iss": self.values["service_account_id"], "aud": url,
                  "iat": now, "exp": now + 3600}
        return jwt.encode(claims, self.key, algorithm="PS256",
                          headers={"kid": self.values["svc_acct_key_id"]})

    def enter(self):
        """Gets a token and the client's id, for all calls to come."""
        url = self.url + "/iam/v1/tokens"
        token = self.request("POST", url,
                             json.dumps({"jwt": self.make_jwt(url)}),
                             Content_Type="application/json")["iamToken"]
        self.headers["Authorization"] = "Bearer " + token
        client_id = self.call("POST", "/client-id")["client_id"]
        self.headers["X-DL-Client-Id"] = client_id
        return client_id

    def write(self, table, operation, rows, **headers):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        return self.call("POST", f"/table/{table}/data", lines,
                         X_DL_Operation_UUID=str(operation),
                         X_DL_Data_Format="array",
                         Content_Type="application/x-ndjson", **headers)


def read_values(path):
    """The name=value lines of a file."""
    with open(path, encoding="utf-8") as file:
        return dict(line.rstrip("\n").split("=", 1) for line in file)


def show(what, answer):
    print(what, json.dumps(answer), flush=True)


def walk_goods(partner):
    """The documentation's example of a replacing key."""
    show("defined", partner.call_json("POST", "/table/goods/definition", {
        "title": "Goods", "replacing_key": ["Country", "City"],
        "schema": [{"name": "Country", "type": "string"},
                   {"name": "City", "type": "string"},
                   {"name": "Goods quantity", "type": "float"}]}))
    first = uuid.uuid4()
    rows = [["Russia", "Moscow", 1], ["Russia", "Kazan", 2.1],
            ["Russia", "Kazan", 2.2]]
    show("written", partner.write("goods", first, rows))
    show("again", partner.write("goods", first, rows))
    show("replaced", partner.write("goods", uuid.uuid4(),
                                   [["Russia", "Kazan", 10]]))


def walk_visits(partner):
    """A table that its first write defines, with partitions by month."""
    month = "date_trunc('month', day)"
    definition = {"partition_key": [month],
                  "schema": [{"name": "day", "type": "date"},
                             {"name": "visits", "type": "integer"}]}
    rows = [["2024-06-30", 17], ["2024-07-01", 4], ["2024-07-31", 8]]
    show("written", partner.write(
        "visits", uuid.uuid4(), rows,
        X_DL_Table_Definition=json.dumps(definition)))
    show("deleted", partner.call_json("DELETE", "/table/visits/data", {
        "partitions": [{month: "2024-07-01"}]}))


def main():
    url, values, key = sys.argv[1:]
    with open(key, encoding="ascii") as file:
        partner = Partner(url, read_values(values), file.read())
    show("linked", partner.enter())
    walk_goods(partner)
    walk_visits(partner)
    show("there", partner.call("GET", "/info"))
    show("visits gone", partner.call("DELETE", "/table/visits/definition"))
    show("unlinked", partner.call("DELETE", "/client-id"))


main()
