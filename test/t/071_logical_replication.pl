# A subscriber gets every row that uploads insert, update and delete, of small
# payloads and of several batches, with the default replica identity.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $records = $ENV{REPLICATION_RECORDS} // 25_000;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->append_conf('postgresql.conf', 'autovacuum = off');
$publisher->start;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init(allows_streaming => 'logical');
$subscriber->start;

# The subscriber does not have pg_intake.  Each table: one with secondary
# indexes, toasted values and a generated column, and a partitioned one.
my $tables = q{
    CREATE TABLE plain (id int PRIMARY KEY, k int, code text UNIQUE,
        note text DEFAULT 'none', twice int GENERATED ALWAYS AS (k * 2) STORED);
    CREATE INDEX ON plain (k);
    CREATE TABLE parted (id int, day date, v text, PRIMARY KEY (id, day))
        PARTITION BY RANGE (day);
    CREATE TABLE parted_1 PARTITION OF parted
        FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
    CREATE TABLE parted_2 (v text, gone int, day date NOT NULL,
        id int NOT NULL, PRIMARY KEY (id, day));
    ALTER TABLE parted_2 DROP COLUMN gone;
    ALTER TABLE parted ATTACH PARTITION parted_2
        FOR VALUES FROM ('2020-02-01') TO ('2020-03-01');};

$publisher->safe_psql(
    'postgres', qq{
    CREATE EXTENSION pg_intake;
    $tables
    CREATE PUBLICATION uploads FOR TABLE plain, parted;

    -- rows first to last; the note is long for every hundredth
    CREATE FUNCTION some_rows(first int, last int, mark text) RETURNS text
    LANGUAGE sql AS \$\$
        SELECT string_agg(format('[%s, %s, "c%s", "%s"]', i, i % 100, i,
            CASE WHEN i % 100 = 0
                THEN (SELECT string_agg(md5(mark || i || j), '')
                    FROM generate_series(1, 200) j)
                ELSE mark END), E'\\n' ORDER BY i * 7919::bigint % 104729)
        FROM generate_series(first, last) i
    \$\$;
    CREATE FUNCTION some_days(first int, last int, mark text) RETURNS text
    LANGUAGE sql AS \$\$
        SELECT string_agg(format('{"v": "%s", "id": %s, "day": "2020-0%s-05"}',
            mark, i, 1 + i % 2), E'\\n')
        FROM generate_series(first, last) i
    \$\$;
    });
$subscriber->safe_psql('postgres', $tables);

my $connection = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres',
    "CREATE SUBSCRIPTION uploads CONNECTION '$connection' " .
      'PUBLICATION uploads');
$publisher->wait_for_catchup('uploads');
$subscriber->poll_query_until('postgres', q{
    SELECT count(*) = 0 FROM pg_subscription_rel
    WHERE srsubstate NOT IN ('r', 's')}) or die 'tables did not synchronize';

my $half = int($records / 2);
my $more = $records + $half;

# Each upload: name, SQL, the counters.
my @uploads = (
    [
        'append', "intake.upload('plain', some_rows(1, $records, 'a'))",
        "$records|0|0"
    ],
    [
        'append into partitions',
        "intake.upload('parted', some_days(1, $records, 'a'))",
        "$records|0|0"
    ],
    [
        'replace',
        "intake.upload('plain', some_rows(1, $records, 'b'),
            mode => 'replace', options => '{\"key\": [\"code\"]}')",
        "$records|0|$records"
    ],
    [
        'merge, one batch',
        "intake.upload('plain', some_rows(1, 100, 'c'), mode => 'merge')",
        '0|100|0'
    ],
    [
        'merge, updates and inserts',
        "intake.upload('plain', some_rows(@{[ $half + 1 ]}, $more, 'd'),
            mode => 'merge')",
        "$half|@{[ $records - $half ]}|0"
    ],
    [
        'merge, deletes',
        "intake.upload('plain', some_rows(1, 200, 'e'), mode => 'merge',
            sys_op => 1)",
        '0|0|200'
    ],
    [
        'merge, all of it',
        q{intake.upload('plain', '{"id": 201, "sys_op": 1}
{"id": 202, "note": "e"}
{"id": 1, "sys_op": 1}
{"id": 2, "note": "e"}', mode => 'merge')}, '1|1|1'
    ],
    [
        'merge into partitions',
        "intake.upload('parted', some_days(@{[ $half + 1 ]}, $more, 'f'),
            mode => 'merge')",
        "$half|@{[ $records - $half ]}|0"
    ],
    [
        'delete',
        q{intake.delete_partitions('plain', '[{"k": 5}, {"k": null}]',
            options => '{"key": ["k"]}')}, undef
    ],
    [
        'append, truncate',
        q{intake.upload('parted', some_days(1, 10, 'g'),
            options => '{"truncate": "fast"}')}, '10|0|'
    ]);

foreach my $upload (@uploads)
{
    my ($name, $call, $expected) = @$upload;
    my $counts = $publisher->safe_psql('postgres',
        "SELECT rows_inserted, rows_updated, rows_deleted FROM $call");

    is($counts, $expected, "$name: counters") if defined $expected;
    cmp_ok((split /\|/, $counts)[2], '>', 0, "$name: rows were deleted")
      if !defined $expected;

    $publisher->wait_for_catchup('uploads');
    foreach my $table ('plain', 'parted_1', 'parted_2')
    {
        my $digest = "SELECT count(*), md5(string_agg(t::text, '|'
            ORDER BY id)) FROM $table t";

        is( $subscriber->safe_psql('postgres', $digest),
            $publisher->safe_psql('postgres', $digest),
            "$name: table $table is the same");
    }
}

$subscriber->stop;
$publisher->stop;
done_testing();
