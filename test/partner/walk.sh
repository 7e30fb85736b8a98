#!/bin/sh
# walk.sh: a partner's way through the DataLens Partner API, by curl and
# openssl alone.
#
#   walk.sh URL FILE KEY [curl options]
#
# URL is the gateway's (http://localhost:9090); FILE and KEY are what
# connect.sql wrote for this partner: the connection's values, and its private
# key.  Where FILE has an OAuth token, that is exchanged for the token of the
# calls, else a JWT that the key signs.  The options are for each call of curl:
# --http2-prior-knowledge, --cacert ca.pem.

set -eu

url=$1
file=$(realpath "$2")
key=$3
shift 3
options=$*
. "$file"
api=$url/provider/v1/connection/$connection_id

say() { printf '\n-- %s\n' "$*"; }

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# The value of a member of a JSON object, a text without escapes.
member() { sed -n "s/.*\"$1\" *: *\"\\([^\"]*\\)\".*/\\1/p"; }

# A random UUID, which names an operation: the same for each try of it.
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

# What the token is exchanged for.
credentials() {
    if [ -n "${oauth_token:-}" ]; then
        printf '{"yandexPassportOauthToken": "%s"}' "$oauth_token"
    else
        printf '{"jwt": "%s"}' "$(make_jwt)"
    fi
}

# call METHOD PATH [curl options]: prints the answer; fails unless it is 2xx.
call() {
    method=$1 path=$2
    shift 2
    curl -sS -m 60 --fail-with-body -w '\n' $options -X "$method" \
        -H "Authorization: Bearer $token" "$@" "$api$path"
}

# write_goods UUID: rows from standard input into table goods, once.
write_goods() {
    call POST /table/goods/data --data-binary @- \
        -H "X-DL-Client-Id: $client_id" -H "X-DL-Operation-UUID: $1" \
        -H 'X-DL-Data-Format: array' -H 'Content-Type: application/x-ndjson'
}

say "A token, from $([ -n "${oauth_token:-}" ] && echo OAuth || echo a JWT)"
token=$(credentials | curl -sS -m 60 --fail-with-body $options \
    -H 'Content-Type: application/json' --data-binary @- \
    "$url/iam/v1/tokens" | member iamToken)
echo "iamToken: ${#token} characters"

say "The client is linked"
client_id=$(call POST /client-id | member client_id)
echo "client_id: $client_id"

say "What is there: no table yet"
call GET /info -H "X-DL-Client-Id: $client_id"

say "A table is defined"
call POST /table/goods/definition -H 'Content-Type: application/json' -d '{
    "title": "Goods", "replacing_key": ["Country", "City"],
    "partition_key": ["date_trunc('\''month'\'', Day)"],
    "schema": [{"name": "Country", "type": "string"},
               {"name": "City", "type": "string"},
               {"name": "Goods quantity", "type": "float"},
               {"name": "Day", "type": "date", "nullable": true}]}'

say "Three rows are written"
first=$(make_uuid)
load() {
    write_goods "$first" <<END
["Russia", "Moscow", 1, "2024-06-30"]
["Russia", "Kazan", 2.1, "2024-07-01"]
["Russia", "Kazan", 2.2, "2024-07-31"]
END
}
load

say "The same again, as after a lost connection: the stored answer"
load

say "Kazan's rows are replaced"
write_goods "$(make_uuid)" <<END
["Russia", "Kazan", 10, "2024-08-01"]
END

say "What is there now"
call GET /info -H "X-DL-Client-Id: $client_id"

say "June is deleted"
call DELETE /table/goods/data -H "X-DL-Client-Id: $client_id" \
    -H 'Content-Type: application/json' \
    -d '{"partitions": [{"date_trunc('\''month'\'', Day)": "2024-06-01"}]}'
