#!/usr/bin/perl
#
# bench.pl WORK NAME ...
#
# Times uploads against COPY and prints a table for each table of rows; run
# starts the server and says what the environment may hold.  NAME is:
#
#   append      each format through the decoder alone (decode) and appended
#               (append), COPY CSV and COPY BINARY of the same rows into the
#               same table, emptied before.  "read value" is the time of
#               reading the file into a value, which append includes.
#   merge       all keys new, and all there with changed rows, against COPY
#               into a temporary table and INSERT ... ON CONFLICT DO UPDATE
#   replace     1 % of the keys of a big table, against COPY into a temporary
#               table, DELETE ... USING and INSERT
#   http        one chunked body of BENCH_MB over HTTP/1.1 by curl, against the
#               same bytes by \copy, in an unlogged table; with the memory of
#               the HTTP program and of the process that writes
#   small       uploads of 100 rows by h2load and wrk, with as many loaders as
#               clients, against pgbench with as many clients and an INSERT of
#               the same 100 rows a transaction; into a table without index
#               and one with an identity key.  CPU is that of all the server's
#               processes, clients not among them.
#
# Payloads are files on the server's side, made from SQL (Avro: make_avro).
# Works are interleaved: each is done once a round, after a CHECKPOINT.  The
# median of the rounds counts.

use strict;
use warnings;

use FindBin;
use Time::HiRes qw(time);

my $MAX_PAYLOAD = 1024 * 1024 * 1024 - 8192;    # bytes of one value

# What http.pl uses, too.
our ($work, @names) = @ARGV;
our $rounds = $ENV{BENCH_ROUNDS} || 5;
my $rows = $ENV{BENCH_ROWS} || 2_000_000;
my $big = $ENV{BENCH_BIG} || 10_000_000;
my $payloads = "$work/payloads";

$| = 1;

#
# SQL
#

# Runs statements in one session; returns what they print.
sub sql
{
    my @command = ('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1');

    push @command, map { ('-c', $_) } @_;
    open(my $out, '-|', @command) or die "cannot run psql: $!\n";
    my $result = do { local $/; <$out> };
    close($out) or die "psql failed: $_[0]\n";
    chomp $result;
    return $result;
}

# Runs statements in one session after a checkpoint; returns the seconds that
# all of them took on the client's clock, the WAL they wrote, in bytes, and
# what they printed.
sub timed_sql
{
    my $before = sql('CHECKPOINT', 'SELECT pg_current_wal_insert_lsn()');
    my $out = sql(q{LOAD 'pg_intake'}, '\\timing on', @_);
    my $seconds = 0;

    $seconds += $1 / 1000 while $out =~ /^Time: ([\d.]+) ms/mg;
    my $wal = sql("SELECT pg_current_wal_insert_lsn() - '$before'");
    return ($seconds, $wal, $out);
}

sub median
{
    my @sorted = sort { $a <=> $b } @_;

    return $sorted[$#sorted / 2];
}

#
# Works: each is { name, bytes, rows, prepare => sub, run => sub }, where run
# returns the seconds and the bytes of WAL.
#

sub run_rounds
{
    my @works = @_;

    foreach my $round (1 .. $rounds)
    {
        foreach my $work (@works)
        {
            $work->{prepare}->() if $work->{prepare};
            my ($seconds, $wal) = $work->{run}->();

            push @{ $work->{seconds} }, $seconds;
            push @{ $work->{wal} }, $wal;
        }
    }
    foreach my $work (@works)
    {
        $work->{median} = median(@{ $work->{seconds} });
        $work->{wal_median} = median(@{ $work->{wal} });
    }
}

# Prints the works.  Each base is a work's name that ratios are printed to;
# without one, a work's "against" names what its ratio is to.
sub print_table
{
    my ($title, $works, @bases) = @_;
    my %median = map { $_->{name} => $_->{median} } @$works;

    print "\n$title\n\n";
    printf "%-26s %8s %9s %8s %8s %8s", 'work', 's', 'krows/s', 'MB/s',
      'MB', 'WAL MB';
    printf ' %12s', "/$_" foreach @bases;
    print @bases ? "\n" : "  ratio\n";
    foreach my $work (@$works)
    {
        my $seconds = $work->{median};

        printf "%-26s %8.3f %9.0f %8.1f %8.1f %8.1f", $work->{name},
          $seconds, $work->{rows} / $seconds / 1000,
          $work->{bytes} / $seconds / 1e6, $work->{bytes} / 1e6,
          $work->{wal_median} / 1e6;
        printf ' %12.2f', $seconds / $median{$_} foreach @bases;
        printf ' %6.2f', $seconds / $median{ $work->{against} }
          if $work->{against};
        print "\n";
    }
}

sub print_settings
{
    print sql('SELECT version()'), "\n";
    print sql(
        q{SELECT string_agg(name || ' = ' || current_setting(name), ', '
                            ORDER BY name)
          FROM pg_settings
          WHERE name IN ('shared_buffers', 'wal_level', 'fsync',
                         'synchronous_commit', 'full_page_writes',
                         'max_wal_size', 'work_mem', 'autovacuum', 'jit',
                         'maintenance_work_mem', 'wal_compression')}), "\n";
    chomp(my $processors = `nproc`);
    print "$processors processors; medians of $rounds rounds; ratios are",
      " of seconds\n";
}

#
# Tables of rows: columns with their types, letters for make_avro and the
# expression that makes them from the number i.  All is deterministic.
#

my $HASH = '(hashint8extended(i, %d) & 9223372036854775807)';

sub hash_of { return sprintf($HASH, $_[0]) }

our @plain = (
    [ 'id', 'bigint', 'l', 'i' ],
    [ 'code', 'text', 's', "'item-' || " . hash_of(1) . ' % 100000' ],
    [ 'title', 'text', 's', "md5(i::text) || ' of the ' || i % 97" ],
    [ 'qty', 'int', 'i', '(' . hash_of(2) . ' % 1000000)::int' ],
    [ 'price', 'float8', 'd', hash_of(3) . ' % 10000000 / 997.0::float8' ],
    [ 'at', 'timestamptz', 't',
        "timestamptz '2020-01-01 00:00+00' + " . hash_of(4)
          . " % 157680000000000 * interval '1 microsecond'" ],
    [ 'ok', 'bool', 'b', 'i % 3 = 0' ]);

# Forty columns, one value of seven NULL.
my @wide = map {
    my $n = $_;
    my $seed = 10 + $n;
    my ($type, $letter, $value) = @{ (
            [ 'int', 'i', "(@{[hash_of($seed)]} % 100000)::int" ],
            [ 'text', 's', "'v' || @{[hash_of($seed)]} % 1000000" ],
            [ 'float8', 'd', "@{[hash_of($seed)]} % 100000 / 64.0::float8" ],
            [ 'bool', 'b', "@{[hash_of($seed)]} % 2 = 0" ],
            [ 'date', 'D', "date '2000-01-01' + (@{[hash_of($seed)]} % 9000)::int" ],
            [ 'bigint', 'l', hash_of($seed) ],
            [ 'text', 's', "md5(i::text || $n)" ],
            [ 'timestamptz', 't',
                "timestamptz '2020-01-01 00:00+00' + @{[hash_of($seed)]} % 157680000 * interval '1 second'" ]
        )[ $n % 8 ] };

    $n == 0
      ? [ 'c00', 'bigint', 'l', 'i' ]
      : [ sprintf('c%02d', $n), $type, "?$letter",
        "CASE WHEN (i + $n) % 7 > 0 THEN $value END" ];
} 0 .. 39;

my @quoted = (
    [ 'id', 'bigint', 'l', 'i' ],
    [ 'body', 'text', 's',
        q{repeat('He said "' || md5(i::text) || E'", and\tleft;\n'}
          . q{ || 'C:\\path\\' || i || ', ', 4 + (i % 5)::int)} ],
    [ 'note', 'text', 's',
        q{repeat(E'first line\r\nsecond, "quoted" line ', 1 + (i % 4)::int)}
          . q{ || chr(228 + (i % 20)::int) || md5(i::text)} ]);

my @numeric = (
    [ 'id', 'bigint', 'l', 'i' ],
    [ 'amount', 'numeric(18,4)', 'n',
        '(' . hash_of(5) . ' % 1000000000000 / 10000.0)::numeric(18,4)' ],
    [ 'tax', 'numeric(18,4)', 'n',
        '(-1 * (' . hash_of(6) . ' % 10000000) / 10000.0)::numeric(18,4)' ],
    [ 'day', 'date', 'D',
        "date '1990-01-01' + (" . hash_of(7) . ' % 15000)::int' ],
    [ 'due', 'date', 'D',
        "date '1990-01-01' + (" . hash_of(8) . ' % 15000)::int' ],
    [ 'at', 'timestamptz', 't',
        "timestamptz '2020-01-01 00:00+00' + " . hash_of(9)
          . " % 157680000 * interval '1 second'" ]);

# Payloads must fit into one value, so the longer rows are fewer.
my %tables = (
    plain => [ 1, \@plain ],
    wide => [ 5, \@wide ],
    quoted => [ 4, \@quoted ],
    numeric => [ 1, \@numeric ]);

sub make_table
{
    my ($name, $columns) = @_;

    sql("CREATE TABLE $name ("
          . join(', ', map { "$_->[0] $_->[1]" } @$columns) . ')');
}

# The rows i = $first .. $last as a SELECT.
sub select_rows
{
    my ($columns, $first, $last) = @_;

    return 'SELECT ' . join(', ', map { "$_->[3] AS $_->[0]" } @$columns)
      . " FROM generate_series($first\::bigint, $last) i";
}

# JSON has none of these bytes, so that COPY CSV leaves it as it is.
my $AS_IS = q{(FORMAT csv, DELIMITER E'\x1f', QUOTE E'\x1e')};

sub avro_schema
{
    my %types = (
        b => '"boolean"', i => '"int"', l => '"long"', d => '"double"',
        s => '"string"',
        D => '{"type":"int","logicalType":"date"}',
        t => '{"type":"long","logicalType":"timestamp-micros"}',
        n => '{"type":"bytes","logicalType":"decimal","precision":18,"scale":4}');
    my @fields = map {
        my ($null, $letter) = $_->[2] =~ /^(\??)(.)$/;
        my $type = $types{$letter};

        $type = "[\"null\",$type]" if $null;
        "{\"name\":\"$_->[0]\",\"type\":$type}";
    } @{ $_[0] };

    return '{"type":"record","name":"row","fields":['
      . join(',', @fields) . ']}';
}

sub make_avro
{
    my ($name, $columns) = @_;
    my $list = join(', ',
        map { $_->[2] eq 'n' ? "($_->[0] * 10000)::bigint" : $_->[0] }
          @$columns);

    open(my $schema, '>', "$payloads/$name.avsc") or die "$!\n";
    print $schema avro_schema($columns);
    close($schema);
    sql("COPY (SELECT $list FROM $name) TO '$payloads/$name.raw' (FORMAT binary)");
    system("$work/build/make_avro", "$payloads/$name.avsc",
        join('', map { $_->[2] } @$columns),
        "$payloads/$name.raw", "$payloads/$name.avro") == 0
      or die "make_avro failed\n";
    unlink("$payloads/$name.raw");
}

# Fills the table and makes all its payloads; returns their sizes.
sub make_payloads
{
    my ($name, $columns, $count) = @_;
    my $list = join(', ', map { $_->[0] } @$columns);

    make_table($name, $columns);
    sql('SET synchronize_seqscans = off',
        "INSERT INTO $name " . select_rows($columns, 1, $count),
        "COPY $name TO '$payloads/$name.csv' (FORMAT csv, HEADER)",
        "COPY $name TO '$payloads/$name.binary' (FORMAT binary)",
        "COPY (SELECT json_build_array($list) FROM $name) TO '$payloads/$name.arrays' $AS_IS",
        "COPY (SELECT row_to_json(t) FROM $name t) TO '$payloads/$name.objects' $AS_IS");
    make_avro($name, $columns);
    foreach my $kind (qw(csv arrays objects avro))
    {
        die "payload $name.$kind has more than 1 GB: set BENCH_ROWS lower\n"
          if -s "$payloads/$name.$kind" > $MAX_PAYLOAD;
    }
}

sub remove_payloads
{
    unlink(glob("$payloads/$_[0].*"));
}

sub read_value { return "pg_read_binary_file('$payloads/$_[0]')" }

# Uploads a payload of so many records, as timed_sql() does.
sub timed_upload
{
    my ($name, $file, $format, $mode, $count) = @_;
    my ($seconds, $wal, $out) =
      timed_sql("SELECT rows_received FROM intake.upload('$name', "
          . read_value($file) . ", '$format', mode => '$mode')");

    $out =~ /^$count$/m or die "the upload of $file did not take $count rows\n";
    return ($seconds, $wal);
}

#
# append
#

sub append_works
{
    my ($name, $count) = @_;
    my $truncate = sub { sql("TRUNCATE $name") };
    my @works;

    foreach my $kind (
        [ 'CSV', 'csv', 'csv' ],
        [ 'NDJSON arrays', 'arrays', 'ndjson' ],
        [ 'NDJSON objects', 'objects', 'ndjson' ],
        [ 'Avro', 'avro', 'avro' ])
    {
        my ($title, $suffix, $format) = @$kind;
        my $file = "$name.$suffix";
        my %common = (rows => $count, bytes => -s "$payloads/$file",
            prepare => $truncate);

        push @works,
          { %common, name => "$title read value",
            run => sub { timed_sql('SELECT length(' . read_value($file) . ')') } },
          { %common, name => "$title decode",
            run => sub { decode_seconds($name, $file, $format) } },
          { %common, name => "$title append",
            run => sub {
                timed_upload($name, $file, $format, 'append', $count);
            } };
    }
    foreach my $kind ([ 'COPY CSV', 'csv', 'FORMAT csv, HEADER' ],
        [ 'COPY BINARY', 'binary', 'FORMAT binary' ])
    {
        my ($title, $suffix, $options) = @$kind;
        my $file = "$payloads/$name.$suffix";

        push @works,
          { name => $title, rows => $count, bytes => -s $file,
            prepare => $truncate,
            run => sub { timed_sql("COPY $name FROM '$file' ($options)") } };
    }
    return @works;
}

# The decoder's own clock: the reading of the value is not in it.
sub decode_seconds
{
    my ($name, $file, $format) = @_;

    return (sql(q{LOAD 'pg_intake'},
        "SELECT bench_decode_seconds('$name', " . read_value($file)
          . ", '$format', '{}')"), 0);
}

sub bench_append
{
    sql("LOAD 'pg_intake'",
        'CREATE OR REPLACE FUNCTION bench_decode_seconds(target regclass,'
          . ' payload bytea, format text, options jsonb) RETURNS float8'
          . " STRICT LANGUAGE c AS '$work/build/test/bench/decode_only'");
    foreach my $name (split /,/,
        $ENV{BENCH_TABLES} || 'plain,wide,quoted,numeric')
    {
        my ($divisor, $columns) = @{ $tables{$name} };
        my $count = int($rows / $divisor);

        make_payloads($name, $columns, $count);
        my @works = append_works($name, $count);

        run_rounds(@works);
        print_table("append to \"$name\", " . @$columns
              . " columns, $count rows, no index",
            \@works, 'COPY CSV', 'COPY BINARY');
        sql("DROP TABLE $name");
        remove_payloads($name);
    }
}

#
# merge and replace
#

# Secondary indexes, by how many there are.
my @indexes = ([], ['qty'], [ 'qty', 'code', 'at' ]);

# Makes a table of the plain rows 1 .. count with this expression for the id,
# a statement for the key's index, and secondary indexes.
sub make_target
{
    my ($count, $id, $key, @secondary) = @_;
    my @columns = ([ @{ $plain[0] }[ 0 .. 2 ], $id ], @plain[ 1 .. $#plain ]);

    sql('SET synchronize_seqscans = off',
        'SET client_min_messages = warning',
        'DROP TABLE IF EXISTS target',
        'CREATE TABLE target (LIKE plain)',
        'INSERT INTO target ' . select_rows(\@columns, 1, $count),
        $key,
        (map { "CREATE INDEX ON target ($_)" } @secondary),
        'VACUUM (FREEZE, ANALYZE) target');
}

# The payload of a merge, in an order that has nothing to do with the key's:
# rows with the keys first .. last whose other values come from others.
sub make_merge_payload
{
    my ($file, $first, $last) = @_;

    sql('COPY (SELECT (id - 1000000000)::bigint AS id, code, title, qty,'
          . ' price, at, ok FROM ('
          . select_rows(\@plain, 1_000_000_000 + $first,
            1_000_000_000 + $last)
          . ") r ORDER BY md5(id::text)) TO '$payloads/$file'"
          . ' (FORMAT csv, HEADER)');
}

sub stage
{
    return ('CREATE TEMPORARY TABLE stage (LIKE plain)',
        "COPY stage FROM '$payloads/$_[0]' (FORMAT csv, HEADER)",
        'ANALYZE stage');
}

sub bench_merge
{
    make_table('plain', \@plain);
    make_merge_payload('new.csv', $rows + 1, 2 * $rows);
    make_merge_payload('there.csv', 1, $rows);
    foreach my $secondary (@indexes)
    {
        my @works;
        my $prepare = sub {
            make_target($rows, 'i', 'ALTER TABLE target ADD PRIMARY KEY (id)',
                @$secondary);
        };
        my $set = join(', ', map { "$_->[0] = excluded.$_->[0]" }
              @plain[ 1 .. $#plain ]);

        foreach my $file ('new.csv', 'there.csv')
        {
            my $what = $file eq 'new.csv' ? 'keys new' : 'keys there';
            my %common = (rows => $rows, bytes => -s "$payloads/$file",
                prepare => $prepare);

            push @works,
              { %common, name => "merge, $what",
                against => "ON CONFLICT, $what",
                run => sub {
                    timed_upload('target', $file, 'csv', 'merge', $rows);
                } },
              { %common, name => "ON CONFLICT, $what",
                run => sub {
                    timed_sql('BEGIN', stage($file),
                        'INSERT INTO target SELECT * FROM stage'
                          . " ON CONFLICT (id) DO UPDATE SET $set",
                        'COMMIT');
                } };
        }
        run_rounds(@works);
        print_table("merge of $rows rows into $rows, primary key and "
              . @$secondary . ' secondary indexes', \@works);
    }
    sql('DROP TABLE target, plain');
    unlink("$payloads/new.csv", "$payloads/there.csv");
}

# Ten rows a key: 1 % of the keys are 1 % of the rows.
sub bench_replace
{
    my $replaced = int($big / 100);

    # Rows that lie side by side are too few pages for VACUUM to clean the
    # indexes: every other work would meet twice as many entries.
    my $clean = sub { sql('VACUUM (INDEX_CLEANUP ON) target') };

    make_table('plain', \@plain);
    sql('COPY (SELECT ((id - 1) / 10 * 1000 + 7)::bigint AS id, code, title,'
          . ' qty, price, at, ok FROM ('
          . select_rows(\@plain, 1, $replaced)
          . ") r ORDER BY md5(id::text)) TO '$payloads/replace.csv'"
          . ' (FORMAT csv, HEADER)');
    foreach my $secondary (@indexes)
    {
        make_target($big, '(i - 1) / 10 * 10 + 7',
            'CREATE INDEX ON target (id)', @$secondary);
        my %common = (rows => $replaced,
            bytes => -s "$payloads/replace.csv",
            prepare => $clean);
        my @works = (
            { %common, name => 'replace',
                against => 'DELETE USING + INSERT',
                run => sub {
                    timed_upload('target', 'replace.csv', 'csv', 'replace',
                        $replaced);
                } },
            { %common, name => 'DELETE USING + INSERT',
                run => sub {
                    timed_sql('BEGIN', stage('replace.csv'),
                        'DELETE FROM target t USING'
                          . ' (SELECT DISTINCT id FROM stage) s'
                          . ' WHERE t.id = s.id',
                        'INSERT INTO target SELECT * FROM stage',
                        'COMMIT');
                } });

        sql(q{SELECT intake.register_table('target', kind => 'proxy',
              replacing_key => ARRAY['id'], create_index => false)});
        run_rounds(@works);
        print_table("replace of 1 % of the keys of $big rows, key index and "
              . @$secondary . ' secondary indexes',
            \@works);
    }
    sql('DROP TABLE target, plain');
    unlink("$payloads/replace.csv");
}

require "$FindBin::RealBin/http.pl";

my %benches = (append => \&bench_append, merge => \&bench_merge,
    replace => \&bench_replace, http => \&bench_http,
    small => \&bench_small);

foreach my $name (@names)
{
    die "there is no bench \"$name\"; there are: "
      . join(' ', sort keys %benches) . "\n"
      if !$benches{$name};
}
sql('CREATE EXTENSION pg_intake');
print_settings();
$benches{$_}->() foreach @names;
