# Broken and hostile Avro files are refused with the right SQLSTATE and leave
# nothing behind; unusual ones that are valid load.
#
# test/avro/make_edge.py makes the files and says what is expected of each.

use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir;
local $ENV{PYTHONDONTWRITEBYTECODE} = 1;

system_or_bail('/usr/bin/python3', 'test/avro/make_edge.py', $dir);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "timezone = 'UTC'");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_intake');

# Loads a case's file into a new table.  Returns the rows in order and the
# error, "" without one.
sub load_case
{
    my ($case) = @_;
    my $settings = $case->{settings} // {};
    my $set = join '', map { "SET $_ = '$settings->{$_}';" } keys %$settings;
    my $options = encode_json($case->{options} // {});
    my ($rows, $error);

    $node->safe_psql('postgres',
        "DROP TABLE IF EXISTS t; CREATE TABLE t ($case->{columns})");
    $node->psql(
        'postgres', qq{$set
            SELECT FROM intake.upload('t',
                pg_read_binary_file('$dir/$case->{name}.avro'), 'avro',
                options => '$options')},
        extra_params => ['--set=VERBOSITY=verbose'],
        stderr => \$error);
    $rows = $node->safe_psql('postgres', 'SELECT t FROM t ORDER BY ctid');
    utf8::decode($rows);
    return ($rows, $error);
}

foreach my $case (@{ decode_json(slurp_file("$dir/index.json")) })
{
    my ($rows, $error) = load_case($case);

    if (defined $case->{rows})
    {
        is($error, '', "$case->{name} loads");
        is($rows, join("\n", @{ $case->{rows} }), "$case->{name}'s rows");
    }
    else
    {
        like($error, qr/ERROR:  (?:$case->{error}): /s,
            "$case->{name} is refused");
        like($error, qr/(?:$case->{message})/s, "$case->{name}'s message");
        is($rows, '', "$case->{name} leaves no row");
    }
}

$node->stop;
done_testing();
