# One record in a thousand is bad, in six different ways.  With max_errors as
# large as that, all others are in and each bad one is in intake.rejects with
# its record number, line, column and SQLSTATE; with one less nothing is in.
# By append and merge, from NDJSON and CSV.
#
# ROWS=1000000 makes it a million records.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $rows = $ENV{ROWS} // 20_000;
my $distance = 1000;            # of bad records

my $node = PostgreSQL::Test::Cluster->new('rejects');
$node->init;
$node->append_conf('postgresql.conf',
    "fsync = off\nautovacuum = off\nmax_wal_size = 4GB\n");
$node->start;
$node->safe_psql(
    'postgres', q{
    CREATE EXTENSION pg_intake;
    CREATE TABLE groups (id int PRIMARY KEY);
    INSERT INTO groups SELECT generate_series(1, 10);
    CREATE TABLE target (
        id int PRIMARY KEY,
        grp int REFERENCES groups,
        name text NOT NULL,
        qty int CHECK (qty >= 0),
        code text UNIQUE);
    });

# What is wrong with a bad record, in turn: what to change, the column and
# the SQLSTATE, that of CSV last when it is another.
my @kinds = (
    [ { qty => '12x' }, 'qty', '22P02' ],
    [ { name => undef }, 'name', '23502' ],
    [ { qty => -1 }, 'qty', '23514' ],
    [ { code => 'taken' }, 'code', '23505' ],
    [ { grp => 99 }, 'grp', '23503' ],
    [ undef, '', '22032', '22P04' ]);

# The record with this number; ids are not in order.
sub record
{
    my $n = shift;

    return {
        id => ($n * 7919) % $rows + 1,
        grp => $n % 10 + 1,
        name => "name $n",
        qty => $n % 500,
        code => "code $n"
    };
}

sub kind_of
{
    my $n = shift;

    return undef if $n % $distance != $distance / 2;
    return $kinds[ int($n / $distance) % @kinds ];
}

sub ndjson_line
{
    my $record = shift;

    return '{' . join(
        ', ',
        map {
            my $value = $record->{$_};

            defined $value
              ? sprintf($value =~ /^-?\d+$/ ? '"%s": %s' : '"%s": "%s"',
                $_, $value)
              : ()
        } qw(id grp name qty code)) . '}';
}

sub csv_line
{
    my $record = shift;

    return join(',', map { $record->{$_} // '' } qw(id grp name qty code));
}

# Writes the payload of a format; returns its path and what is to be
# rejected.  A blank line, or a quoted line end, makes lines and records
# differ.
sub make_payload
{
    my ($format) = @_;
    my $is_csv = $format eq 'csv';
    my $path = $node->basedir . "/payload.$format";
    my $line = 1;
    my @rejects;

    open(my $file, '>', $path) or die "$path: $!";
    if ($is_csv)
    {
        print $file "id,grp,name,qty,code\n";
        $line++;
    }
    foreach my $n (1 .. $rows)
    {
        my $record = record($n);
        my $kind = kind_of($n);
        my $change = $kind ? $kind->[0] // {} : {};
        my $text;

        $record = { %$record, %$change };
        $text = $is_csv ? csv_line($record) : ndjson_line($record);
        if ($kind)
        {
            my $code = $is_csv ? $kind->[3] // $kind->[2] : $kind->[2];

            push @rejects, "$n|$line|$kind->[1]|$code";
            $text =~ s/.name.*// if !$kind->[0];
        }
        print $file "$text\n";
        $line++;
        if ($n == 1)
        {
            print $file "\n" if !$is_csv;
            $line++ if !$is_csv;
        }
    }
    close($file);
    return ($path, @rejects);
}

my $good = q{SELECT count(*), sum(id::numeric), count(DISTINCT name),
    sum(qty), sum(grp) FROM target WHERE code <> 'taken'};

sub expected_good
{
    my ($count, $ids, $quantities, $groups) = (0, 0, 0, 0);

    foreach my $n (grep { !kind_of($_) } 1 .. $rows)
    {
        my $record = record($n);

        $count++;
        $ids += $record->{id};
        $quantities += $record->{qty};
        $groups += $record->{grp};
    }
    return "$count|$ids|$count|$quantities|$groups";
}

my $expected_good = expected_good();

# Fills the target with what is there before: for a merge, rows that are to be
# updated.
sub reset_target
{
    my ($mode) = @_;

    $node->safe_psql('postgres',
        q{TRUNCATE target; INSERT INTO target VALUES (-1, 1, 'there', 1, 'taken')}
    );
    $node->safe_psql('postgres',
        "INSERT INTO target SELECT i, 1, 'old', 1, 'old ' || i
           FROM generate_series(1, $rows, 3) i
          WHERE i NOT IN (SELECT (n * 7919::bigint) % $rows + 1 FROM
            generate_series($distance / 2, $rows, $distance) n)")
      if $mode eq 'merge';
    return;
}

sub upload
{
    my ($path, $format, $mode, $max_errors) = @_;
    my $started = time;
    my ($code, $stdout, $stderr) = $node->psql(
        'postgres', qq{SELECT operation, rows_received, rows_rejected,
            rows_inserted + rows_updated, jsonb_array_length(errors)
            FROM intake.upload('target', pg_read_binary_file('$path'),
                '$format', mode => '$mode',
                options => '{"max_errors": $max_errors}')});

    note(sprintf('%s, %s, max_errors %s: %.1f s', $format, $mode,
            $max_errors, time - $started));
    return ($code, $stdout, $stderr);
}

foreach my $format ('ndjson', 'csv')
{
    my ($path, @rejects) = make_payload($format);
    my $bad = @rejects;
    my $nothing = '0||0||';

    foreach my $mode ('append', 'merge')
    {
        my $what = "$format, $mode";
        my ($code, $stdout, $stderr);
        my $operation;
        my $before;

        reset_target($mode);
        $before = $node->safe_psql('postgres', $good);
        ($code, $stdout, $stderr) = upload($path, $format, $mode, $bad - 1);
        is($code, 3, "$what: one bad record too many is an error");
        like(
            $stderr,
            qr/too many bad records: $bad, at most @{[ $bad - 1 ]} tolerated/,
            "$what: that says so");
        like(
            $stderr,
            qr/DETAIL:  Record \d+, line \d+.*\nRecord \d+/,
            "$what: and shows the first ones");
        is($node->safe_psql('postgres', $good),
            $before, "$what: then nothing is in");
        is( $node->safe_psql('postgres', 'SELECT count(*) FROM intake.reject'),
            0, "$what: nor set aside")
          if $format eq 'ndjson' && $mode eq 'append';

        ($code, $stdout, $stderr) = upload($path, $format, $mode, $bad);
        is($stderr, '', "$what: as many as are tolerated are not");
        ($operation, $stdout) = $stdout =~ /^([^|]*)\|(.*)/;
        is( $stdout,
            join('|', $rows, $bad, $rows - $bad, $bad < 10 ? $bad : 10),
            "$what: the counters");
        is($node->safe_psql('postgres', $good),
            $expected_good, "$what: all good records are in");
        is( $node->safe_psql(
                'postgres', qq{SELECT record, lineno, colname, errorcode
                FROM intake.rejects WHERE operation = '$operation'
                ORDER BY record}),
            join("\n", @rejects),
            "$what: each bad one is set aside, and where it was");
    }
}

# Parts of batches that stay are few: a session shows others no more than 64
# transaction ids of subtransactions at hand.  Their locks are held until the
# end.
reset_target('append');
my ($path) = make_payload('ndjson');
my $session = $node->background_psql('postgres');
$session->query_safe(
    qq{BEGIN; SELECT FROM intake.upload('target',
        pg_read_binary_file('$path'), options => '{"max_errors": "0.1%"}')});
cmp_ok(
    $node->safe_psql(
        'postgres', q{SELECT count(*) FROM pg_locks
        WHERE locktype = 'transactionid' AND pid <> pg_backend_pid()}),
    '<=', 64, 'the subtransactions that stay are few');
$session->query_safe('ROLLBACK');
$session->quit;

$node->stop;
done_testing();
