# demo_http.sh: the part of the demo that goes over HTTP; sourced by demo.sh.
#
#   list_http_settings   the gateway on a port of this machine
#   walk_http            what curl does there, with a token made by openssl
#   walk_partner         a partner's way through the DataLens Partner API
#   ask_http_again       the same gateway after the server has crashed
#
# The key, the token and curl's answers lie in $work, which is the user's alone.

KEY_ID=demo
base=                           # the gateway's URL

# A port that nobody listens on now.
find_port()
{
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(
        Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

# The settings of the gateway, one a line, for start_server().
list_http_settings()
{
    cat <<END
shared_preload_libraries = 'pg_intake'
pg_intake.listen_addresses = '127.0.0.1'
pg_intake.port = $1
pg_intake.jwt_audience = 'pg_intake'
END
}

base64url()
{
    openssl base64 -A | tr '+/' '-_' | tr -d '='
}

# An RSA key, whose public half the database trusts.
make_key()
{
    (umask 077 && openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 \
        -out "$work/key.pem" 2>/dev/null) || die "openssl made no key"
    n=$(openssl pkey -in "$work/key.pem" -pubout -outform DER | tail -c +34 |
        head -c 256 | base64url)
    run_psql -v ON_ERROR_STOP=1 -v kid="$KEY_ID" \
        -v jwk="{\"kty\": \"RSA\", \"n\": \"$n\", \"e\": \"AQAB\"}" \
        -f test/demo_http.sql >"$work/http_sql.log" 2>&1 || http_failed=yes
    show "$work/http_sql.log"
    [ -z "${http_failed:-}" ] || die "the tables for HTTP could not be made"
}

# A token of subject nightly-job, good for an hour.
make_token()
{
    now=$(date +%s)
    header=$(printf '{"alg":"RS256","kid":"%s"}' "$KEY_ID" | base64url)
    claims=$(printf '{"sub":"nightly-job","aud":"pg_intake","iat":%s,"exp":%s}' \
        "$now" $((now + 3600)) | base64url)
    signature=$(printf %s "$header.$claims" |
        openssl dgst -sha256 -sign "$work/key.pem" -binary | base64url)
    (umask 077 && echo "$header.$claims.$signature" >"$work/token")
    TOKEN=$(cat "$work/token")
}

wait_for_gateway()
{
    deadline=$(($(date +%s) + WAIT_TENTHS / 10))
    until curl -s -f -m 5 -o "$work/ready" \
        "$base/actuator/health/readiness"; do
        [ "$(date +%s)" -lt $deadline ] ||
            die "waited too long for the gateway at $base"
        sleep 0.1
    done
}

# try STATUS COMMAND: prints a command, and what curl answers, which must have
# that status.
try()
{
    printf '%s\n' "$2"
    eval "$2" >"$work/answer.raw" 2>&1 ||
        die "curl failed: $(cat "$work/answer.raw")"
    tr -d '\r' <"$work/answer.raw" >"$work/answer"
    cat "$work/answer"
    grep -q "^HTTP/[0-9.]* $1 " "$work/answer" ||
        die "the answer has not status $1"
}

walk_http()
{
    say "-- 11. The same over HTTP. A role for it, and a key that signs its tokens."
    make_key
    make_token
    wait_for_gateway
    url=$base/v1/tables/public/places_http/operations
    curl='curl -sS -i -m 60 -H "Authorization: Bearer $TOKEN"'

    say "-- 12. The CSV file goes up by PUT, as the operation that the URL names."
    printf 'url=%s\n' "$url"
    first="$curl \\
    -H 'Content-Type: text/csv' -T test/data/covid_places.csv \\
    \$url/7d3c1b52-4a0e-4f6b-8c55-9e8f7a6b5c4d"
    try 201 "$first"
    say "-- 13. The same again, as after a lost connection, is a replay."
    try 200 "$first"
    grep -qi '^idempotent-replayed: true' "$work/answer" ||
        die "the repeat over HTTP was not a replay"
    say "-- 14. A bad body changes nothing, and the answer says where it is bad."
    try 422 "$curl \\
    -H 'Content-Type: application/x-ndjson' -X PUT --data-binary '{\"UID\": 1}
{\"UID\": \"two\"}' \\
    \$url/7d3c1b52-4a0e-4f6b-8c55-9e8f7a6b5c4e"
    echo
    run_psql -P footer=off -c 'SELECT count(*) FROM places_http'
    [ "$(ask 'SELECT count(*) FROM (TABLE places INTERSECT TABLE places_http)
        AS same')" = 4316 ] || die "the table that HTTP wrote is not equal"
}

walk_partner()
{
    say "-- 15. A connection for a partner; and what the partner does with it
--     (test/partner/walk.sh): curl and openssl are enough."
    (umask 077 && run_psql -v title='A partner' -v with_oauth=false \
        -v values="$work/partner.values" -v key="$work/partner.pem" \
        -f test/partner/connect.sql) || die "there is no connection"
    test/partner/walk.sh "$base" "$work/partner.values" \
        "$work/partner.pem" >"$work/partner.log" 2>&1 ||
        die "the partner's walk failed: $(cat "$work/partner.log")"
    cat "$work/partner.log"
    echo
    run_psql -P footer=off -c "SELECT title, state, tables,
        last_upload IS NOT NULL AS has_uploads FROM intake.connections" \
        -c "SELECT * FROM
        intake_$(sed -n 's/^connection_id=//p' "$work/partner.values").goods" \
        >"$work/partner_tables"
    cat "$work/partner_tables"
    grep -q '| Kazan *| *10$' "$work/partner_tables" ||
        die "the partner's rows are not there"
}

ask_http_again()
{
    say "-- 18. The gateway is up again too, and knows of the upload of step 12."
    wait_for_gateway
    try 200 "$curl \\
    \$url/7d3c1b52-4a0e-4f6b-8c55-9e8f7a6b5c4d"
}
