-- What the demo's walk over HTTP needs; demo_http.sh gives kid and jwk.

\pset footer off
\set ECHO all

CREATE TABLE places_http (LIKE places INCLUDING ALL);
SELECT intake.register_table('places_http');

CREATE ROLE loader;
GRANT USAGE ON SCHEMA intake TO loader;
GRANT SELECT, INSERT, UPDATE ON places_http TO loader;

SELECT intake.trust_key(:'kid', :'jwk');
SELECT intake.map_principal('nightly-job', 'loader');
