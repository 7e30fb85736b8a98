# Avro files of random schemas, in all codecs, become the rows that libavro
# reads from them.
#
# test/avro/generate.py says how the cases are made.  AVRO_SEED and AVRO_CASES
# choose others.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{AVRO_SEED} // 1;
my $cases = $ENV{AVRO_CASES} // 40;

my $dir = PostgreSQL::Test::Utils::tempdir;
local $ENV{AVRO_BUILD} = "$dir/build";
local $ENV{PYTHONDONTWRITEBYTECODE} = 1;

system_or_bail('make', '-s', '-C', 'test/avro', "builddir=$dir/build");
system_or_bail('/usr/bin/python3', 'test/avro/generate.py', "$dir/cases",
    $seed, $cases);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf',
    "timezone = 'Asia/Kathmandu'\ndatestyle = 'German'");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_intake');
$node->safe_psql('postgres', slurp_file('test/avro/functions.sql'));

# Loads a file and returns how many rows are wrong or missing.
sub load_file
{
    my ($case, $file) = @_;
    my ($out, $err) = ('', '');

    $node->psql(
        'postgres', qq{
            TRUNCATE $case RESTART IDENTITY;
            SELECT rows_inserted || ' loaded'
            FROM intake.upload('$case', pg_read_binary_file('$file'), 'avro');
            SELECT count(*) || ' differ' FROM (
                (TABLE $case EXCEPT ALL TABLE ${case}_expected)
                UNION ALL
                (TABLE ${case}_expected EXCEPT ALL TABLE $case)) d;
        },
        stdout => \$out, stderr => \$err, on_error_stop => 1);
    return $err eq '' ? $out : $err;
}

foreach my $sql (sort glob("$dir/cases/*.sql"))
{
    my ($case) = $sql =~ m{(c\d+)\.sql$};

    $node->safe_psql('postgres', slurp_file($sql));
    my $columns = $node->safe_psql(
        'postgres', qq{
            SELECT string_agg(attname, ', ' ORDER BY attnum)
            FROM pg_attribute
            WHERE attrelid = '${case}_raw'::regclass AND attnum > 0
                AND attidentity = ''});
    $node->safe_psql('postgres',
        "COPY ${case}_raw ($columns) FROM '$dir/cases/$case.rows'");
    my $count = $node->safe_psql('postgres',
        "SELECT count(*) FROM ${case}_raw");

    foreach my $file (sort glob("$dir/cases/$case-*.avro"))
    {
        my ($name) = $file =~ m{-(.*)\.avro$};

        is(load_file($case, $file), "$count loaded\n0 differ",
            "seed $seed, case $case, $name");
    }
}

$node->stop;
done_testing();
