#!/bin/sh
# walk.sh: a partner's way through the DataLens Partner API, by curl and
# openssl alone.
#
#   walk.sh URL VALUES KEY [curl options]
#
# URL is the gateway's (http://localhost:9090); VALUES and KEY are the files
# that connect.sql wrote for this partner.  Where VALUES has an OAuth token,
# that is exchanged for the token of the calls, else a JWT that the key signs.
# The options, words without blanks, are for each call of curl, as in
#
#   walk.sh https://db.example:9090 shop.values shop.pem --cacert ca.pem

set -eu

url=$1
values=$2
key=$3
shift 3
options=$*

# What the partner was handed over.
value_of() { sed -n "s/^$1=//p" "$values"; }

connection_id=$(value_of connection_id)
service_account_id=$(value_of service_account_id)
svc_acct_key_id=$(value_of svc_acct_key_id)
oauth_token=$(value_of oauth_token)
api=$url/provider/v1/connection/$connection_id

say() { printf '\n-- %s\n' "$*"; }

stop() {
    printf '%s\n' "$*" >&2
    exit 1
}

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# The value of a member of a JSON object, a text without escapes.
member() { sed -n "s/.*\"$1\" *: *\"\\([^\"]*\\)\".*/\\1/p"; }

# A random UUID.  It names one operation, in each try of it.
make_uuid() {
    openssl rand -hex 16 | sed -E \
        's/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/\1-\2-4\3-a\4-\5/'
}

# A JWT of the service account, signed by PS256 and good for an hour.
make_jwt() {
    now=$(date +%s)
    header=$(printf '{"typ":"JWT","alg":"PS256","kid":"%s"}' \
        "$svc_acct_key_id" | base64url)
    claims=$(printf '{"iss":"%s","aud":"%s","iat":%s,"exp":%s}' \
        "$service_account_id" "$url/iam/v1/tokens" "$now" $((now + 3600)) |
        base64url)
    signature=$(printf %s "$header.$claims" | openssl dgst -sha256 \
        -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest \
        -sign "$key" -binary | base64url)
    printf %s "$header.$claims.$signature"
}

# What the token of the calls is given for.
credentials() {
    if [ -n "$oauth_token" ]; then
        printf '{"yandexPassportOauthToken": "%s"}' "$oauth_token"
    else
        printf '{"jwt": "%s"}' "$(make_jwt)"
    fi
}

# call METHOD PATH [curl options]: prints the answer; fails unless it is 2xx.
call() {
    method=$1 path=$2
    shift 2
    # shellcheck disable=SC2086
    curl -sS -m 60 --fail-with-body $options -X "$method" \
        -H "@$token_header" "$@" "$api$path"
}

# call_json METHOD PATH: the same, with JSON from standard input.
call_json() {
    call "$@" -H 'Content-Type: application/json' --data-binary @-
}

# write TABLE UUID [curl options]: rows from standard input, a JSON array each.
write() {
    table=$1 uuid=$2
    shift 2
    call POST "/table/$table/data" --data-binary @- \
        -H "X-DL-Client-Id: $client_id" -H "X-DL-Operation-UUID: $uuid" \
        -H 'X-DL-Data-Format: array' -H 'Content-Type: application/x-ndjson' \
        "$@"
}

say "A token is got for $([ -n "$oauth_token" ] && echo OAuth || echo a JWT)."
# shellcheck disable=SC2086
answer=$(credentials | curl -sS -m 60 --fail-with-body $options \
    -H 'Content-Type: application/json' --data-binary @- \
    "$url/iam/v1/tokens") || stop "$answer"
token=$(printf %s "$answer" | member iamToken)
echo "iamToken of ${#token} characters"

# In a file of its own, since everybody sees the command lines of processes.
token_header=$(mktemp)
trap 'rm -f "$token_header"' EXIT
trap 'exit 1' HUP INT TERM
printf 'Authorization: Bearer %s\n' "$token" > "$token_header"

say "The client is linked."
answer=$(call POST /client-id) || stop "$answer"
client_id=$(printf %s "$answer" | member client_id)
echo "client_id $client_id"

say "A table is defined."
call_json POST /table/goods/definition <<'END'
{"title": "Goods", "replacing_key": ["Country", "City"],
 "schema": [{"name": "Country", "type": "string"},
            {"name": "City", "type": "string"},
            {"name": "Goods quantity", "type": "float"}]}
END

say "Three rows are written."
first=$(make_uuid)
write_three_rows() {
    write goods "$first" <<'END'
["Russia", "Moscow", 1]
["Russia", "Kazan", 2.1]
["Russia", "Kazan", 2.2]
END
}
write_three_rows

say "The same again, as after a lost connection: the answer, no more rows."
write_three_rows

say "Kazan's rows are replaced by one."
write goods "$(make_uuid)" <<'END'
["Russia", "Kazan", 10]
END

say "A table that its first write defines, with partitions by month."
definition=$(cat <<'END'
{"partition_key": ["date_trunc('month', day)"], "schema":
 [{"name": "day", "type": "date"}, {"name": "visits", "type": "integer"}]}
END
)
write visits "$(make_uuid)" \
    -H "X-DL-Table-Definition: $(printf %s "$definition" | tr -d '\n')" <<'END'
["2024-06-30", 17]
["2024-07-01", 4]
["2024-07-31", 8]
END

say "Its July is deleted."
call_json DELETE /table/visits/data <<'END'
{"partitions": [{"date_trunc('month', day)": "2024-07-01"}]}
END

say "What is there."
call GET /info -H "X-DL-Client-Id: $client_id"

say "The table of visits is deleted, and the client unlinked: goods stays."
call DELETE /table/visits/definition
call DELETE /client-id
