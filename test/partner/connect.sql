-- connect.sql: the user's part of the walk-through.  Makes a connection and
-- puts what the partner is handed over into two files:
--
--   umask 077
--   psql -v title='A shop' -v with_oauth=false -v values=shop.values -v key=shop.pem -f connect.sql

\set ON_ERROR_STOP on
\set QUIET on
SELECT * FROM intake.create_connection(:'title', with_oauth => :with_oauth) \gset
\o :values
\qecho connection_id=:connection_id
\qecho folder_id=:folder_id
\qecho service_account_id=:service_account_id
\qecho svc_acct_key_id=:svc_acct_key_id
\if :with_oauth
\qecho oauth_token=:oauth_token
\endif
\o :key
\qecho :svc_acct_private_key
\o
