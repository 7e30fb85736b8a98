# COPY statements that are not ours do the same with our library loaded as
# without: statements of all formats, options and errors, and, where
# PG_REGRESS_SQL names src/test/regress/sql of a source tree of PostgreSQL, its
# own scripts on COPY.  Both sessions' outputs are compared byte for byte.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('core');
$node->init(extra => [ '--no-locale', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\n");
$node->start;

# A folder whose name is the same for both sessions, and both see it empty.
my $dir = PostgreSQL::Test::Utils::tempdir;

sub new_folder
{
    my $folder = "$dir/work";

    system_or_bail('rm', '-rf', $folder);
    mkdir($folder) or die "$folder: $!";
    mkdir("$folder/results") or die "$folder/results: $!";
    return $folder;
}

# What psql prints when it runs files in a database of their own.
sub output_of
{
    my ($options, @files) = @_;
    my $folder = new_folder();
    my $output = "$dir/output";

    local $ENV{PGOPTIONS} = $options;
    local $ENV{PGDATABASE} = 'tried';
    local $ENV{PGHOST} = $node->host;
    local $ENV{PGPORT} = $node->port;
    local $ENV{PG_ABS_BUILDDIR} = $folder;
    local $ENV{PG_ABS_SRCDIR} = ($ENV{PG_REGRESS_SQL} // '') . '/..';

    $node->safe_psql('postgres', 'CREATE DATABASE tried TEMPLATE template0');

    # By standard input: with -f psql tells the line at which a message of the
    # server reached it, and that depends on who was faster.
    system( join(' ', 'cat', map({ "'$_'" } @files))
          . " | psql -X -a -q -v HIDE_TABLEAM=on"
          . " -v HIDE_TOAST_COMPRESSION=on -v dir=$folder >'$output' 2>&1");
    $node->safe_psql('postgres', 'DROP DATABASE tried');
    return slurp_file($output);
}

sub compare
{
    my ($name, $expected, @files) = @_;
    my $without = output_of('', @files);
    my $with = output_of('-c session_preload_libraries=pg_intake', @files);

    like($without, $expected, "$name: it ran");
    ok($with eq $without, "$name: the same with our library");
    return if $with eq $without;

    my @with = split(/\n/, $with);
    my @without = split(/\n/, $without);
    my ($line) = grep { ($with[$_] // '') ne $without[$_] } 0 .. $#without;
    diag("without: $without[$line]\nwith:    " . ($with[$line] // ''))
      if defined $line;
}

is( $node->safe_psql(
        'postgres', 'SHOW pg_intake.copy',
        extra_params => [],
        connstr => $node->connstr('postgres')
          . ' options=-csession_preload_libraries=pg_intake'),
    'on',
    'the option loads our library');

compare('our statements', qr/COPY z FROM STDIN .*6/s,
    "$FindBin::Bin/082_copies_of_core.sql");

my $sources = $ENV{PG_REGRESS_SQL};
foreach my $script ('copy', 'copy2', 'copydml', 'copyselect', 'copyencoding')
{
    next if defined $sources && !-e "$sources/$script.sql";

  SKIP:
    {
        skip 'PG_REGRESS_SQL names no regression scripts of PostgreSQL', 2
          unless defined $sources;
        compare("PostgreSQL's $script", qr/\w/,
            ($script eq 'copyselect' || $script eq 'copydml') ?
              () : "$sources/test_setup.sql",
            "$sources/$script.sql");
    }
}

$node->stop;
done_testing();
