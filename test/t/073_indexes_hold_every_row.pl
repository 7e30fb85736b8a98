# Index entries wait until many go in together: after each upload amcheck
# finds an entry for every row in every btree, also where an upload has failed
# half-way, where entries are big and where there are more partitions than
# shared buffers.  Memory stays flat meanwhile.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Few shared buffers: those that a backend touches count for its memory, and
# each table that rows go into may pin some.
my $node = PostgreSQL::Test::Cluster->new('indexes');
$node->init(extra => [ '--no-locale', '--encoding=UTF8' ]);
$node->append_conf(
    'postgresql.conf', q{
shared_buffers = 1MB
max_connections = 20
max_locks_per_transaction = 512
max_wal_size = 4GB
fsync = off
jit = off
autovacuum = off
max_parallel_workers_per_gather = 0
});
$node->start;
plan skip_all => 'needs amcheck'
  unless $node->safe_psql('postgres',
    q{SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'});
$node->safe_psql('postgres',
    'CREATE EXTENSION pg_intake; CREATE EXTENSION amcheck');

# Checks all btrees of a schema against their tables; how many there are.
sub check_indexes
{
    my ($schema) = @_;
    my ($result, $out, $err) = $node->psql(
        'postgres', qq{
        SELECT count(*) FROM (
            SELECT bt_index_parent_check(c.oid, true, true)
            FROM pg_class c JOIN pg_am a ON a.oid = c.relam
            WHERE c.relnamespace = '$schema'::regnamespace AND
                c.relkind = 'i' AND amname = 'btree' OFFSET 0) q});
    return $err eq '' ? $out : $err;
}

# The SQLSTATE and the record of a failure.
sub failure_of
{
    my ($sql) = @_;
    my ($result, $out, $err) = $node->psql('postgres',
        "\\set VERBOSITY verbose\n\\set SHOW_CONTEXT always\n$sql");
    my ($state) = $err =~ /ERROR:  (\w+):/;
    my ($record) = $err =~ /record (\d+)/;
    return join(' ', $state // 'none', $record // 'none');
}

#
# The types of the regression test
#
my $types =
  slurp_file(__FILE__ =~ s{t/[^/]*$}{sql/index_order.sql}r) =~
  s/^DROP TABLE target;.*//msr;
my ($result, $out, $err) = $node->psql('postgres', $types);
is($err, '', 'uploads into indexes of many types');
is(check_indexes('index_order'), 42, 'each of them holds every row');
like(
    failure_of(
        q{SET search_path = index_order, public; SET datestyle = ISO;
        SELECT rows_inserted FROM intake.upload('target',
            records(10001, 14000, 1) || E'\n{"id": 10007}')}),
    qr/^23505 4001$/,
    'the last of 4001 records fails');
is(check_indexes('index_order'), 42, 'rows of a failed upload do no harm');
$node->safe_psql('postgres', 'VACUUM index_order.target');
is(check_indexes('index_order'), 42, 'nor do they after VACUUM');
$node->safe_psql('postgres', 'DROP SCHEMA index_order CASCADE');

SKIP:
{
    skip 'needs PostgreSQL 15', 2
        if $node->safe_psql('postgres', 'SHOW server_version_num') < 150000;
    $node->safe_psql('postgres',
        q{CREATE TABLE one_null (a int, b int, UNIQUE NULLS NOT DISTINCT (a, b))}
    );
    is( failure_of(
            q{SELECT FROM intake.upload('one_null',
                E'[1, 1]\n[null, 2]\n[3, null]\n[null, 3]\n[null, 2]\n[null, null]')}
        ),
        '23505 5',
        'NULLS NOT DISTINCT: the second is at fault');
    is( failure_of(
            q{SELECT FROM intake.upload('one_null',
                E'[null, 1]\n[null, 2]\n[null, null]\n[3, null]')}),
        'none none',
        'and others are none');
}

#
# More partitions than buffers
#
$node->safe_psql(
    'postgres', q{
    CREATE SCHEMA parts;
    CREATE TABLE parts.target (k int, v text, PRIMARY KEY (k, v))
        PARTITION BY LIST (k);
    CREATE INDEX ON parts.target (v DESC);
    SELECT format('CREATE TABLE parts.p%s PARTITION OF parts.target FOR VALUES IN (%1$s)', n)
    FROM generate_series(0, 599) n \gexec
    CREATE FUNCTION parts.records(n int) RETURNS text LANGUAGE sql AS $$
        SELECT string_agg(format('[%s, "v%s"]', i * 7919 % 600, i), E'\n'
            ORDER BY i)
        FROM generate_series(1, n) i
    $$});
is( $node->safe_psql(
        'postgres',
        q{SELECT rows_inserted FROM intake.upload('parts.target',
            parts.records(13000))}),
    13000,
    'rows for 600 partitions by turns, with 128 buffers');
is(check_indexes('parts'), 1200, 'their indexes hold every row');
is( failure_of(
        q{SELECT FROM intake.upload('parts.target',
            E'[1, "new"]\n[2, "new"]\n' || parts.records(5000))}),
    '23505 3',
    'a violation in a partition names its record');
is( failure_of(
        q{SELECT FROM intake.upload('parts.target',
            E'[1, "new"]\n[2, "new"]\n[601, "new"]\n[3, "new"]')}),
    '23514 3',
    'a row without a partition');
is( $node->safe_psql(
        'postgres',
        q{SELECT rows_inserted, rows_updated FROM
            intake.upload('parts.target', parts.records(14000),
                mode => 'merge')}),
    '1000|13000',
    'merge into all of them');
is(check_indexes('parts'), 1200, 'their indexes hold every row');

#
# While an index is made concurrently
#
$node->safe_psql(
    'postgres', q{
    CREATE SCHEMA made;
    CREATE TABLE made.target (id int PRIMARY KEY, k text);
    INSERT INTO made.target SELECT n, 'k' || n % 100
    FROM generate_series(1, 1000) n;
    CREATE FUNCTION made.records(low int, high int) RETURNS text
    LANGUAGE sql AS $$
        SELECT string_agg(format('[%s, "k%s"]', i, i % 90), E'\n')
        FROM generate_series(low, high) i
    $$});

# Waits until the index is so far, and its maker waits for someone.
sub wait_for_index
{
    my ($is_ready) = @_;
    return $node->poll_query_until(
        'postgres', qq{
        SELECT indisready = '$is_ready' AND NOT indisvalid
        FROM pg_index JOIN pg_stat_activity ON
            query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'
        WHERE indexrelid = to_regclass('made.later')});
}

my $uploader = $node->background_psql('postgres');
my $reader = $node->background_psql('postgres');
my $maker = $node->background_psql('postgres');
$uploader->query_safe(
    q{BEGIN; SELECT FROM intake.upload('made.target',
        made.records(2001, 5000))});
$node->safe_psql('postgres',
    q{SET statement_timeout = '30s'; VACUUM made.target});
pass('VACUUM does not wait for an open upload');
$maker->query_until(qr/begun/,
    "\\echo begun\nCREATE INDEX CONCURRENTLY later ON made.target (k);\n");

# The index is there, but takes no entries: they come from the table.
ok(wait_for_index('f'), 'CREATE INDEX CONCURRENTLY waits for an open upload');
$node->safe_psql('postgres',
    q{SELECT FROM intake.upload('made.target', made.records(6001, 7000));
    SELECT FROM intake.upload('made.target', made.records(900, 1200),
        mode => 'merge')});
$reader->query_safe(
    'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM made.target');
$uploader->query_safe('COMMIT');

# Now it takes them, but serves nobody.
ok(wait_for_index('t'), 'and later on for an old snapshot');
$node->safe_psql('postgres',
    q{SELECT FROM intake.upload('made.target', made.records(8001, 9000));
    SELECT FROM intake.upload('made.target', made.records(950, 2100),
        mode => 'merge');
    SELECT FROM intake.upload('made.target', '[9999, "k77"]',
        mode => 'replace', options => '{"key": ["k"]}')});
$reader->query_safe('COMMIT');
$maker->query_safe('SELECT 1');
is( $node->safe_psql(
        'postgres', q{SELECT indisvalid FROM pg_index
        WHERE indexrelid = 'made.later'::regclass}),
    't',
    'the index is made');
is(check_indexes('made'), 2, 'it holds every row');
is( $node->safe_psql(
        'postgres', q{SELECT count(*) FROM made.target WHERE k = 'k77'}),
    1,
    'replace found all rows without it');
$_->quit foreach ($uploader, $reader, $maker);

#
# Big entries, memory
#
$node->safe_psql(
    'postgres', q{
    CREATE SCHEMA big;
    CREATE UNLOGGED TABLE big.target (id int PRIMARY KEY, k text, v text);
    CREATE INDEX ON big.target (k);
    CREATE INDEX ON big.target (v DESC, k) WHERE id % 10 = 0;
    CREATE INDEX ON big.target (reverse(k), id);
    CREATE TABLE big.payload AS
    SELECT string_agg(format('[%s, "%s", "w"]', i * 7919 % 20011,
        (SELECT string_agg(md5((i * 80 + j)::text), '')
         FROM generate_series(1, 76) j)), E'\n') AS body
    FROM generate_series(1, 20000) i;
    });

# What a session's queries answer, and the peak of its memory in kB.
sub peak_of
{
    my ($query) = @_;
    return split(
        /\n/,
        $node->safe_psql(
            'postgres', qq{$query;
            SELECT (regexp_match(pg_read_file('/proc/self/status'),
                'VmHWM:\\s+(\\d+)'))[1]}));
}

SKIP:
{
    skip 'needs /proc/self/status', 4 unless -r '/proc/self/status';
    my (undef, $idle) = peak_of('SELECT length(body) FROM big.payload');

    foreach my $mode ('append', 'merge')
    {
        my ($rows, $peak) = peak_of(
            qq{SELECT rows_affected
            FROM big.payload, intake.upload('big.target', body,
                mode => '$mode')});
        is($rows, 20000, "$mode of keys of 2.4 kB");
        diag(sprintf('%s: %d MB over the value', $mode,
                ($peak - $idle) / 1024));
        cmp_ok($peak - $idle, '<', 64 * 1024,
            "$mode: within 64 MB over the value");
    }
}
is(check_indexes('big'), 4, 'their indexes hold every row');

#
# What an upload leaves behind in its session
#
$node->safe_psql(
    'postgres', q{
    CREATE SCHEMA leak;
    CREATE TABLE leak.target (id int PRIMARY KEY, k text, n numeric);
    CREATE INDEX ON leak.target (k);
    CREATE INDEX ON leak.target (n, k);
    CREATE FUNCTION leak.upload(first int, last int, mode text, key text)
    RETURNS bigint LANGUAGE sql AS $$
        SELECT rows_affected FROM intake.upload('leak.target',
            (SELECT 'id,k,n' || string_agg(format(E'\n%s,k%s,%s.5', i, i % 1000, i % 77), '')
             FROM generate_series(first, last) i), 'csv', mode => mode,
            options => CASE WHEN key IS NULL THEN '{}'::jsonb
                ELSE jsonb_build_object('key', ARRAY[key]) END)
    $$});
foreach my $case ([ 'append', 'NULL' ], [ 'merge', 'NULL' ],
    [ 'replace', q{'k'} ])
{
    my ($mode, $key) = @$case;
    my $uploads = join ";\n",
      map { "SELECT leak.upload($_ * 3000, $_ * 3000 + 2999, '$mode', $key)" }
      (1 .. 40);
    my $bytes = 'SELECT sum(total_bytes) FROM pg_backend_memory_contexts';
    my @lines = split /\n/,
      $node->safe_psql(
        'postgres', qq{
        BEGIN;
        SELECT leak.upload(i * 1000, i * 1000 + 999, '$mode', $key)
        FROM generate_series(1, 3) i;
        TRUNCATE leak.target;
        $bytes;
        $uploads;
        $bytes;
        SELECT count(*) FROM pg_backend_memory_contexts
        WHERE name LIKE 'pg_intake%' AND total_bytes > 1024 * 1024;});
    my ($before, $after, $large) = @lines[ 3, -2, -1 ];
    diag("$mode: $before bytes before, $after after forty uploads");
    cmp_ok($after - $before, '<', 512 * 1024,
        "$mode: forty uploads in one transaction leave no memory behind");
    is($large, 0, "$mode: no large context");
}

$node->stop;
done_testing();
