-- One upload of the demo, run twice: the first time its backend is killed.

\set ON_ERROR_STOP on
\pset footer off
\set days_csv `base64 -w0 test/data/covid_days.csv`
\set ECHO all

SELECT replayed, rows_received, rows_inserted
  FROM intake.upload('retried', decode(:'days_csv', 'base64'), format => 'csv',
       operation => '5d2c7b7e-30f4-4b0c-8a9d-7f1e2d3c4b5a');
