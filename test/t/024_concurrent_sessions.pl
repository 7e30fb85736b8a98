# Many sessions at once: each UUID writes once, whoever wins and whoever rolls
# back; merges of overlapping keys never deadlock; a reader always sees one
# set of rows of a replaced key.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('concurrent');
$node->init;
$node->start;

$node->safe_psql(
    'postgres', q{
    CREATE EXTENSION pg_intake;

    CREATE TABLE once (n int, pid int);
    CREATE FUNCTION attempt(n int) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM intake.upload('once',
            jsonb_build_array(jsonb_build_object('n', n)),
            operation => intake.operation_uuid('once', n::text));
        RETURN 'done';
    EXCEPTION WHEN SQLSTATE 'IN423' THEN
        RETURN 'running';
    END $$;

    CREATE TABLE merged (id int PRIMARY KEY, code text, n int);
    CREATE TABLE coded (id int PRIMARY KEY, code text UNIQUE, n int);
    CREATE FUNCTION some_ids() RETURNS jsonb LANGUAGE sql VOLATILE AS $$
        SELECT jsonb_agg(jsonb_build_array(i, 'c' || i, 0) ORDER BY random())
        FROM (SELECT DISTINCT (random() * 60)::int AS i
              FROM generate_series(1, 30)) s
    $$;

    CREATE TABLE replaced (k int, tag uuid, v int);
    CREATE FUNCTION replace(k int) RETURNS bigint LANGUAGE sql VOLATILE AS $$
        SELECT rows_inserted FROM intake.upload('replaced',
            (SELECT jsonb_agg(jsonb_build_array(k, tag, v))
             FROM generate_series(1, 3) v,
                (SELECT gen_random_uuid() AS tag OFFSET 0) t),
            mode => 'replace', options => '{"key": ["k"]}')
    $$;
    CREATE FUNCTION check_replaced() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        bad record;
    BEGIN
        SELECT r.k, count(*), count(DISTINCT r.tag) AS tags INTO bad
        FROM replaced r GROUP BY r.k
        HAVING count(*) <> 3 OR count(DISTINCT r.tag) <> 1;
        IF FOUND THEN
            RAISE EXCEPTION 'key % has % rows of % uploads',
                bad.k, bad.count, bad.tags;
        END IF;
    END $$;
    });

# The same operations from all sessions; a third of them rolls back.
my $jobs = 60;
$node->pgbench(
    '-n -c 8 -j 2 -t 60',
    0,
    [qr{processed: 480/480}],
    [qr{^$}],
    'the same operations from eight sessions',
    {
        '024_once' => qq{
\\set n random(1, $jobs)
\\set undo random(1, 3)
BEGIN;
SELECT attempt(:n);
\\if :undo = 1
ROLLBACK;
\\else
COMMIT;
\\endif
}
    });
is( $node->safe_psql(
        'postgres', 'SELECT count(*) - count(DISTINCT n) FROM once'),
    '0',
    'nothing was written twice');
is( $node->safe_psql(
        'postgres', q{
        SELECT count(*) FROM once
        FULL JOIN intake.operations o
            ON o.operation = intake.operation_uuid('once', n::text)
        WHERE n IS NULL OR o.operation IS NULL}),
    '0',
    'rows and records are there together');
is( $node->safe_psql(
        'postgres',
        "SELECT DISTINCT attempt(n) FROM generate_series(1, $jobs) n;
        SELECT count(*), count(DISTINCT n) FROM once"),
    "done\n$jobs|$jobs",
    'the rest runs, the others are replays');

# Merges of overlapping keys in random order, with deletes, beside plain
# statements on single rows.
my $merge = q{SELECT rows_received FROM intake.upload('%s', some_ids(),
    mode => 'merge'%s);
};
my %plain = (
    '024_update@2' => q{
\set id random(0, 60)
UPDATE merged SET n = n + 1 WHERE id = :id;
},
    '024_insert@1' => q{
\set id random(0, 60)
INSERT INTO merged VALUES (:id, 'c' || :id, 0) ON CONFLICT DO NOTHING;
},
    '024_remove@1' => q{
\set id random(0, 60)
DELETE FROM merged WHERE id = :id;
});
$node->pgbench(
    '-n -c 8 -j 2 -t 60',
    0,
    [qr{processed: 480/480}],
    [qr{^$}],
    'merges of overlapping keys never deadlock',
    {
        '024_merge@6' => sprintf($merge, 'merged', ''),
        '024_keep@2' =>
          sprintf($merge, 'merged', q{, options => '{"existing": "keep"}'}),
        '024_delete@2' => sprintf($merge, 'merged', ', sys_op => 1'),
        %plain
    });

# The same with merges of several batches, beside small ones.
$node->pgbench(
    '-n -c 4 -j 2 -t 6',
    0,
    [qr{processed: 24/24}],
    [qr{^$}],
    'merges of several batches never deadlock',
    {
        '024_large@2' => q{
SELECT rows_received FROM intake.upload('merged',
    (SELECT string_agg(format('[%s, "c%s", 0]', i, i), E'\n' ORDER BY random())
     FROM generate_series(1, 25000) i), mode => 'merge');
},
        '024_small@2' => q{
SELECT rows_received FROM intake.upload('merged',
    (SELECT string_agg(format('[%s, "c%s", 0]', i, i), E'\n' ORDER BY random())
     FROM generate_series(1, 25000, 97) i), mode => 'merge');
}
    });

# The same with two unique keys, merged by either: the order in which rows are
# locked differs, and what conflicts in one index does so in the other.
my $twice = q{SELECT count(*) FROM %s WHERE code IS DISTINCT FROM 'c' || id};
$node->pgbench(
    '-n -c 8 -j 2 -t 60',
    0,
    [qr{processed: 480/480}],
    [qr{^$}],
    'merges by two unique keys neither deadlock nor fail',
    {
        '024_by_id@4' => sprintf($merge, 'coded', ''),
        '024_by_code@4' =>
          sprintf($merge, 'coded', q{, options => '{"key": ["code"]}'}),
        '024_by_id_keep@2' =>
          sprintf($merge, 'coded', q{, options => '{"existing": "keep"}'}),
        '024_by_id_delete@1' => sprintf($merge, 'coded', ', sys_op => 1')
    });
is($node->safe_psql('postgres', sprintf($twice, 'merged')),
    '0', 'the rows are whole');
is($node->safe_psql('postgres', sprintf($twice, 'coded')),
    '0', 'with two keys too');

# Replaces of a few keys, and readers.
$node->pgbench(
    '-n -c 8 -j 2 -t 40',
    0,
    [qr{processed: 320/320}],
    [qr{^$}],
    'readers see one set of rows of a replaced key',
    {
        '024_replace@3' => q{
\set k random(1, 4)
SELECT replace(:k);
},
        '024_read@2' => 'SELECT check_replaced();'
    });
is($node->safe_psql('postgres', 'SELECT check_replaced()'),
    '', 'so it is in the end');

is( $node->safe_psql(
        'postgres', q{
        SELECT count(*) FROM pg_locks WHERE objsubid > 2}),
    '0',
    'no lock of ours is left');
unlike(slurp_file($node->logfile), qr/deadlock detected/,
    'there was no deadlock');

$node->stop;
done_testing();
