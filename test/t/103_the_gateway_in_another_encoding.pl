# A gateway whose database is not in UTF-8: names in paths, values, and what is
# answered are converted; what the database cannot hold is refused.

use strict;
use warnings;
use utf8;

use Encode qw(encode);
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib "$FindBin::RealBin/../lib";
use IntakeGateway;

my ($node, $base) = make_gateway('latin', "pg_intake.database = 'latin'");
$node->start;
$node->safe_psql('postgres', q{CREATE ROLE writer;
    CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0});
$node->safe_psql('latin', encode('UTF-8', q{
    SET client_encoding = 'UTF8';
    CREATE EXTENSION pg_intake;
    GRANT USAGE ON SCHEMA intake TO writer;
    CREATE TABLE "größe" (id int PRIMARY KEY, "maß" text);
    GRANT ALL ON "größe" TO writer;
    SELECT intake.register_table('größe');
    }));
wait_for_gateway($base);

sub bytes
{
    return encode('UTF-8', $_[0]);
}

my $url = "$base/v1/tables/public/gr%C3%B6%C3%9Fe/operations";
my @type = (-H => 'Content-Type: application/x-ndjson');
my $rows = q{SELECT id, encode(convert_to("ma\u00df", 'LATIN1'), 'hex')
    FROM "gr\u00f6\u00dfe" ORDER BY id};
$rows =~ s/\\u00df/\x{df}/g;
$rows =~ s/\\u00f6/\x{f6}/g;
$rows = bytes("SET client_encoding = 'UTF8'; $rows");

my ($status, $headers, $body) =
    curl(@type, '--data-binary' => bytes(qq({"id": 1, "maß": "é"})), $url);
is($status, 201, 'a table with such a name') or diag(explain($body));
is($node->safe_psql('latin', $rows), '1|e9', 'has the row');

($status, $headers, $body) = curl(@type,
    '--data-binary' => bytes(qq({"id": "é", "maß": "é"})), "$url?query_id=%C3%A9");
is("$status $body->{sqlstate} $body->{column}", '422 22P02 id', 'a bad value');
is($body->{value}, 'é', 'is shown');
is($node->safe_psql('latin', q{SELECT encode(convert_to(query_id, 'LATIN1'), 'hex')
    FROM intake.operations WHERE status = 'failed'}), 'e9', 'and recorded');
($status, $headers, $body) = curl(@type,
    '--data-binary' => bytes(qq({"id": 2, "maß": "€"})), $url);
is($status, 422, 'a character that the database does not have')
    or diag(explain($body));
($status, $headers, $body) = curl(@type, '--data-binary' => '',
    "$base/v1/tables/public/%E2%82%AC/operations");
like($status, qr/^4/, 'nor has it a table of such a name')
    or diag(explain($body));
($status, $headers, $body) = curl(@type, '--data-binary' => '',
    "$url?query_id=%E2%82%AC");
like($status, qr/^4/, 'or such a query') or diag(explain($body));
($status, $headers, $body) = curl(@type,
    '--data-binary' => '{"id": 3}', $url);
is($status, 201, 'and goes on');
like(slurp_file($node->logfile), qr{CONTEXT: .*%E2%82%AC/operations, request "},
    'what could not be decoded is logged with its request');

# What a trigger does to the session's encoding is no matter.
$node->safe_psql('latin', bytes(q{SET client_encoding = 'UTF8';
    CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM set_config('client_encoding', 'LATIN1', false);
            IF NEW.id < 0 THEN RAISE 'é'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER change BEFORE INSERT ON "größe" FOR EACH ROW
        EXECUTE FUNCTION change()}));
($status, $headers, $body) = curl(@type, '--data-binary' => '{"id": 4}', $url);
is("$status $body->{rows_inserted}", '201 1', 'the answer is');
($status, $headers, $body) = curl(@type, '--data-binary' => '{"id": -1}', $url);
is("$status $body->{detail}", '422 é', 'so is one that is not ASCII');
unlike(slurp_file($node->logfile), qr/exited with exit code [^01]|outside a transaction/,
    'no loader has died of it');

$node->stop;
done_testing();
