# Databases that are not UTF-8: payloads are converted on their way in, and an
# error keeps its position when its value cannot be shown.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('encodings');
$node->init(extra => [ '--no-locale', '--encoding=UTF8' ]);
$node->start;
$node->safe_psql('postgres', q{
    CREATE DATABASE latin1 TEMPLATE template0 ENCODING 'LATIN1';
    CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII';
});

foreach my $database ('postgres', 'latin1', 'ascii')
{
    $node->safe_psql(
        $database, q{
        CREATE EXTENSION pg_intake;
        CREATE TABLE t (id int, s text);
        });
}

# é is E9 in LATIN1 and C3 A9 in UTF-8 (ISO/IEC 8859-1, RFC 3629).
sub bytes_of
{
    my ($database) = @_;

    return $node->safe_psql($database,
        q{SELECT id, encode(s::bytea, 'hex') FROM t ORDER BY id; TRUNCATE t});
}

my $utf8 = q{'\x5b312c22c3a9225d'::bytea};      # [1,"é"]
my $latin1 = q{'\x5b312c22e9225d'::bytea};
my $upload = 'SELECT rows_inserted FROM intake.upload';
my $as_latin1 = q{options => '{"encoding": "LATIN1"}'};

is($node->safe_psql('postgres', "$upload('t', $latin1, $as_latin1)"),
    '1', 'LATIN1 bytes into a UTF-8 database');
is(bytes_of('postgres'), '1|c3a9', 'are UTF-8 there');

is($node->safe_psql('latin1', "$upload('t', $utf8)"),
    '1', 'UTF-8 bytes into a LATIN1 database');
is(bytes_of('latin1'), '1|e9', 'are LATIN1 there');
is($node->safe_psql('latin1', "$upload('t', $latin1, $as_latin1)"),
    '1', 'LATIN1 bytes into a LATIN1 database');
is(bytes_of('latin1'), '1|e9', 'are LATIN1 there');
is( $node->safe_psql('latin1',
        "$upload('t', convert_from($latin1, 'LATIN1'))"),
    '1', 'a text of a LATIN1 database');
is(bytes_of('latin1'), '1|e9', 'keeps its letters');

is($node->safe_psql('ascii', "$upload('t', $utf8)"),
    '1', 'UTF-8 bytes into an SQL_ASCII database');
is(bytes_of('ascii'), '1|c3a9', 'are kept as they are');

# The euro sign (E2 82 AC) is no character of LATIN1.
my ($code, $out, $err) = $node->psql('latin1',
    "$upload('t', '\\x5b312c2261225d0a5b322c22e282ac225d'::bytea)",
    extra_params => [ '--set=VERBOSITY=verbose' ]);
isnt($code, 0, 'a character that the database has not is refused');
like($err, qr/ERROR:  22P05:/, 'with the SQLSTATE of an untranslatable character');
like($err, qr/upload into table "t", record 2, line 2, column "s": "\?"/,
    'and with its position');
is(bytes_of('latin1'), '', 'nothing was written');

# Bytes that are not what they are said to be.
($code, $out, $err) =
  $node->psql('postgres', "$upload('t', '\\x5b312c2261225d0a5b322c22ff225d'::bytea)",
    extra_params => [ '--set=VERBOSITY=verbose' ]);
like($err, qr/ERROR:  22021:.*record 2, line 2/s, 'bytes that are not UTF-8');

# The text of a query, and the names of its columns: \xe9 is a letter in both.
foreach my $database ('postgres', 'latin1')
{
    is( $node->safe_psql(
            $database, q{
            SELECT format('CREATE TABLE named (id int, %I text)', chr(233)) \gexec
            SELECT rows_inserted FROM intake.upload_query('named',
                format('SELECT %L::text AS %I, 1 AS id', chr(232), chr(233)));
            SELECT to_jsonb(named) = jsonb_build_object('id', 1, chr(233), chr(232))
            FROM named}),
        "1\nt",
        "a query in database $database");
    ($code, $out, $err) = $node->psql(
        $database, q{
        SET client_encoding = 'UTF8';
        SELECT intake.upload_query('named',
            format('SELECT 1 AS id, %L AS %I', chr(232), chr(234)))});
    like(
        $err,
        qr/column "\xc3\xaa" of table "named" does not exist\nDETAIL:  The columns are "id", "\xc3\xa9"\./,
        "and a column that is not there");
}

$node->stop;
done_testing();
