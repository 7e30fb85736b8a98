load 'pg_intake'; set timezone='UTC';
truncate q; checkpoint;
\timing on
\echo copy
copy q from '/tmp/dec/run/q.csv' (format csv, header);
\timing off
\echo csv
select bench_decode_seconds('q', pg_read_binary_file('/tmp/dec/run/q.csv'),'csv','{}');
\echo obj
select bench_decode_seconds('q', pg_read_binary_file('/tmp/dec/run/q.obj'),'ndjson','{}');
truncate q; checkpoint;
\timing on
\echo copy
copy q from '/tmp/dec/run/q.csv' (format csv, header);
\timing off
\echo csv
select bench_decode_seconds('q', pg_read_binary_file('/tmp/dec/run/q.csv'),'csv','{}');
\echo obj
select bench_decode_seconds('q', pg_read_binary_file('/tmp/dec/run/q.obj'),'ndjson','{}');
truncate q; checkpoint;
\timing on
\echo copy
copy q from '/tmp/dec/run/q.csv' (format csv, header);
\timing off
\echo csv
select bench_decode_seconds('q', pg_read_binary_file('/tmp/dec/run/q.csv'),'csv','{}');
\echo obj
select bench_decode_seconds('q', pg_read_binary_file('/tmp/dec/run/q.obj'),'ndjson','{}');
\echo END
truncate nu; checkpoint;
\timing on
\echo copy
copy nu from '/tmp/dec/run/n.csv' (format csv, header);
\timing off
\echo csv
select bench_decode_seconds('nu', pg_read_binary_file('/tmp/dec/run/n.csv'),'csv','{}');
\echo obj
select bench_decode_seconds('nu', pg_read_binary_file('/tmp/dec/run/n.obj'),'ndjson','{}');
truncate nu; checkpoint;
\timing on
\echo copy
copy nu from '/tmp/dec/run/n.csv' (format csv, header);
\timing off
\echo csv
select bench_decode_seconds('nu', pg_read_binary_file('/tmp/dec/run/n.csv'),'csv','{}');
\echo obj
select bench_decode_seconds('nu', pg_read_binary_file('/tmp/dec/run/n.obj'),'ndjson','{}');
truncate nu; checkpoint;
\timing on
\echo copy
copy nu from '/tmp/dec/run/n.csv' (format csv, header);
\timing off
\echo csv
select bench_decode_seconds('nu', pg_read_binary_file('/tmp/dec/run/n.csv'),'csv','{}');
\echo obj
select bench_decode_seconds('nu', pg_read_binary_file('/tmp/dec/run/n.obj'),'ndjson','{}');
\echo END
