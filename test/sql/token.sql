-- Tokens: signatures against the vectors of the RFCs, then claims, keys and
-- principals.  Tokens are signed here, in SQL, by the private key that
-- RFC 7515 prints; the signer is checked against the RFC's own signature.
CREATE SCHEMA token;
SET search_path = token, public;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
SET client_min_messages = notice;
SET timezone = 'UTC';

-- An error as a client gets it, without the time of day.
CREATE FUNCTION try(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || message,
		'DETAIL ' || regexp_replace(nullif(detail, ''), '^It is \d.* by', 'It is ... by'),
		'HINT ' || nullif(hint, ''));
END
$$;

-- What a token is told; no error may show the token or its signature.
CREATE FUNCTION ask(token text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	answer text := try(format('SELECT * FROM intake.verify_token(%L)', 'Bearer ' || token));
BEGIN
	IF answer = 'done' THEN
		SELECT concat_ws(' ', subject, role, roles) INTO answer
		FROM intake.verify_token('Bearer ' || token);
	END IF;
	IF length(token) > 20 AND
		(position(left(token, 20) IN answer) > 0 OR position(right(token, 20) IN answer) > 0)
	THEN
		RETURN 'shows the token';
	END IF;
	RETURN answer;
END
$$;

CREATE FUNCTION base64url(bytes bytea) RETURNS text
IMMUTABLE LANGUAGE sql AS $$
	SELECT rtrim(translate(encode(bytes, 'base64'), E'+/\n', '-_'), '=')
$$;
CREATE FUNCTION base64url(value text) RETURNS text
IMMUTABLE LANGUAGE sql AS $$ SELECT token.base64url(convert_to(value, 'UTF8')) $$;
CREATE FUNCTION decode_base64url(value text) RETURNS bytea
IMMUTABLE LANGUAGE sql AS $$
	SELECT decode(translate(value, '-_', '+/') || repeat('=', -length(value) & 3), 'base64')
$$;

CREATE FUNCTION to_number(bytes bytea) RETURNS numeric
IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
	result numeric := 0;
BEGIN
	FOR i IN 0 .. length(bytes) - 1 LOOP
		result := result * 256 + get_byte(bytes, i);
	END LOOP;
	RETURN result;
END
$$;
CREATE FUNCTION to_bytes(value numeric, bytes int) RETURNS bytea
IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
	result bytea := decode(repeat('00', bytes), 'hex');
BEGIN
	FOR i IN REVERSE bytes - 1 .. 0 LOOP
		result := set_byte(result, i, (value % 256)::int);
		value := div(value, 256);
	END LOOP;
	RETURN result;
END
$$;
-- exponent: its digits to base 16, which saves most of the time
CREATE FUNCTION power_mod(base numeric, exponent text, modulus numeric) RETURNS numeric
IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
	powers numeric[] := '{1}';
	result numeric := 1;
	digit int;
BEGIN
	FOR i IN 2 .. 16 LOOP
		powers[i] := powers[i - 1] * base % modulus;
	END LOOP;
	FOR i IN 1 .. length(exponent) LOOP
		result := result * result % modulus;
		result := result * result % modulus;
		result := result * result % modulus;
		result := result * result % modulus;
		digit := strpos('0123456789abcdef', substr(exponent, i, 1));
		IF digit > 1 THEN
			result := result * powers[digit] % modulus;
		END IF;
	END LOOP;
	RETURN result;
END
$$;
CREATE FUNCTION power_mod(base numeric, exponent numeric, modulus numeric) RETURNS numeric
IMMUTABLE LANGUAGE sql AS $$
	SELECT token.power_mod(base % modulus, encode(token.to_bytes(exponent, 128), 'hex'), modulus)
$$;

-- The key of RFC 7515, appendix A.2.
CREATE TABLE secret AS
SELECT to_number(decode_base64url('ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ')) AS n,
	to_number(decode_base64url('Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ')) AS d,
	to_number(decode_base64url('4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc')) AS p,
	to_number(decode_base64url('uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc')) AS q,
	NULL::numeric AS q_inverse, NULL::text AS dp, NULL::text AS dq;
UPDATE secret SET q_inverse = power_mod(q, p - 2, p),
	dp = encode(to_bytes(d % (p - 1), 128), 'hex'), dq = encode(to_bytes(d % (q - 1), 128), 'hex');

-- RS256: RFC 8017, section 8.2.1, by the remainders modulo p and q.
CREATE FUNCTION sign(content text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	key token.secret;
	padded bytea := '\x0001'::bytea || decode(repeat('ff', 202), 'hex') ||
		'\x003031300d060960864801650304020105000420'::bytea ||
		sha256(convert_to(content, 'UTF8'));
	m numeric := to_number(padded);
	m1 numeric;
	m2 numeric;
BEGIN
	SELECT * INTO key FROM token.secret;
	m1 := power_mod(m % key.p, key.dp, key.p);
	m2 := power_mod(m % key.q, key.dq, key.q);
	RETURN base64url(to_bytes(
		m2 + (((m1 - m2) % key.p + key.p) * key.q_inverse) % key.p * key.q, 256));
END
$$;
CREATE FUNCTION make(header text, claims text) RETURNS text
LANGUAGE sql AS $$
	SELECT content || '.' || sign(content)
	FROM (SELECT base64url(header) || '.' || base64url(claims)) part (content)
$$;
CREATE FUNCTION now_in(seconds int) RETURNS bigint
LANGUAGE sql AS $$ SELECT extract(epoch FROM clock_timestamp())::bigint + seconds $$;
-- A token with the usual header and the claims given on top of good ones.
CREATE FUNCTION token(claims jsonb DEFAULT '{}') RETURNS text
LANGUAGE sql AS $$
	SELECT make('{"alg":"RS256","typ":"JWT","kid":"rfc7515"}',
		(jsonb_build_object('sub', 'loader-7', 'iat', now_in(0), 'exp', now_in(600)) || claims)::text)
$$;
-- The signer makes the signature of RFC 7515, A.2.1.
SELECT sign('eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ');

--
-- Keys
--

CREATE TABLE jwk (kid text, jwk jsonb);
INSERT INTO jwk VALUES
	-- RFC 7515, A.2.1 and A.3.1, their public halves
	('rfc7515', '{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}'),
	('rfc7515-ec', '{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}'),
	-- RFC 7520, figure 3
	('bilbo.baggins@hobbiton.example', '{"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw","e":"AQAB"}'),
	-- RFC 7638, section 3.1
	('2011-04-29', '{"kty":"RSA","alg":"RS256","kid":"2011-04-29","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB"}');
SELECT kid, intake.trust_key(kid, jwk) FROM jwk ORDER BY kid;
SELECT intake.trust_key(kid, jwk) FROM jwk;	-- again: nothing changes
SELECT kid, kty, alg, source, added_by = current_user FROM intake.trusted_keys ORDER BY kid COLLATE "C";
-- RFC 7638, section 3.1: NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs
SELECT thumbprint FROM intake.trusted_keys WHERE kid = '2011-04-29';
-- the same of an EC key, by the RFC's rule
SELECT thumbprint = base64url(sha256('{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}'))
FROM intake.trusted_keys WHERE kid = 'rfc7515-ec';

-- What is no key.
CREATE FUNCTION trust(jwk jsonb) RETURNS text
LANGUAGE sql AS $$
	SELECT try(format('SELECT intake.trust_key(''k'', %L)', jwk))
$$;
CREATE FUNCTION rsa(members jsonb) RETURNS text
LANGUAGE sql AS $$ SELECT trust(jwk || members) FROM token.jwk WHERE kid = 'rfc7515' $$;
CREATE FUNCTION ec(members jsonb) RETURNS text
LANGUAGE sql AS $$ SELECT trust(jwk || members) FROM token.jwk WHERE kid = 'rfc7515-ec' $$;
SELECT trust('[]');
SELECT trust('{}');
SELECT trust('{"kty": 1}');
SELECT trust('{"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}');
SELECT trust('{"kty": "oct"}');
SELECT trust('{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}');
-- private members, of which the statement's place in the log is no concern here
SELECT member, rsa(jsonb_build_object(member, 'AQ'))
FROM unnest('{d,p,q,dp,dq,qi,oth,k}'::text[]) member;
SELECT ec('{"d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}');
-- sizes: 2040 bits, 8200 bits, and an even modulus
SELECT rsa(jsonb_build_object('n', base64url(decode(repeat('ff', 255), 'hex'))));
SELECT rsa(jsonb_build_object('n', base64url(decode(repeat('ff', 1025), 'hex'))));
SELECT rsa(jsonb_build_object('n', base64url(decode(repeat('ff', 2000), 'hex'))));
SELECT rsa(jsonb_build_object('n', base64url(decode(repeat('fe', 256), 'hex'))));
-- exponents 1, 0, 65536, 2^64 + 1; leading zero
SELECT e, rsa(jsonb_build_object('e', e)) FROM unnest('{AQ,AA,AQAA,AQAAAAAAAAAB,AAEAAQ}'::text[]) e;
SELECT rsa('{"e": "AQAB=="}');
SELECT rsa('{"e": "AQ+B"}');
SELECT rsa('{"e": "AQABA"}');
SELECT rsa('{"e": "AR"}');	-- bits that stand for nothing
SELECT rsa('{"e": ""}');
SELECT rsa('{"e": 65537}');
SELECT rsa('{"n": null}');
-- other curves, other points
SELECT ec('{"crv": "P-521"}');
SELECT ec('{"crv": "secp256k1"}');
SELECT ec('{"y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4"}');
SELECT ec('{"x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVA"}');
SELECT ec('{"x": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "y": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}');
-- what the key is for
SELECT rsa('{"use": "enc"}');
SELECT rsa('{"use": ["sig"]}');
SELECT rsa('{"key_ops": ["sign"]}');
SELECT rsa('{"key_ops": [1]}');
SELECT rsa('{"alg": "RS512"}');
SELECT rsa('{"alg": "ES256"}');
SELECT rsa('{"alg": "HS256"}');
SELECT ec('{"alg": "RS256"}');
SELECT ec('{"alg": 1}');
-- names
SELECT rsa('{"kid": "other"}');
SELECT rsa('{"kid": 1}');
SELECT rsa(jsonb_build_object('x5c', jsonb_build_array(repeat('A', 7000))));
SELECT try('SELECT intake.trust_key(NULL, ''{}'')');
SELECT try('SELECT intake.trust_key(''k'', NULL)');
SELECT try(format('SELECT intake.trust_key(%L, ''{}'')', repeat('k', 257)));
SELECT try('SELECT intake.trust_key(''rfc7515'', jwk - ''kid'') FROM token.jwk WHERE kid = ''2011-04-29''');
-- what is a key: other members, all that may be there; taken away again
SELECT rsa('{"use": "sig", "key_ops": ["verify"], "alg": "PS256", "kid": "k", "x5t": "x", "more": {"d": 1}}');
SELECT intake.distrust_key('k'), intake.distrust_key('k');
SELECT rsa(jsonb_build_object('e', 'Aw'));	-- 3
SELECT intake.distrust_key('k');
-- the largest modulus
SELECT rsa(jsonb_build_object('n', base64url(decode(repeat('ff', 1024), 'hex'))));
SELECT kid FROM intake.trusted_keys WHERE kid = 'k';
SELECT intake.distrust_key('k');

--
-- Principals
--

CREATE ROLE regress_token_loader;
CREATE ROLE regress_token_super SUPERUSER;
CREATE ROLE regress_token_member IN ROLE regress_token_super;
CREATE ROLE regress_token_grandchild NOINHERIT IN ROLE regress_token_member;
SELECT try('SELECT intake.map_principal(''loader-7'', ''regress_token_super'')');
SELECT try('SELECT intake.map_principal(''loader-7'', ''regress_token_member'')');
SELECT try('SELECT intake.map_principal(''loader-7'', ''regress_token_grandchild'')');
SELECT try('SELECT intake.map_principal(''loader-7'', NULL)');
SELECT try('SELECT intake.map_principal(NULL, ''regress_token_loader'')');
SELECT try('SELECT intake.map_principal('''', ''regress_token_loader'')');
SELECT try(format('SELECT intake.map_principal(%L, ''regress_token_loader'')', repeat('s', 1025)));
SELECT try('SELECT intake.map_principal(''loader-7'', 4294967294::oid::regrole)');
SELECT try('SELECT intake.map_principal(''loader-7'', ''regress_token_nobody'')');
SELECT intake.map_principal('loader-7', 'regress_token_loader');
SELECT intake.map_principal('loader-7', 'regress_token_loader');
SELECT subject, role, state, mapped_by = current_user FROM intake.principals;

--
-- Tokens
--

SELECT ask(token());
SELECT ask(token('{"roles": ["env_datareader", "other"]}'));
SELECT subject, role, roles, expires_at BETWEEN now() + interval '9 min' AND now() + interval '11 min'
FROM intake.verify_token('bEARER   ' || token('{"roles": "env_none"}'));

-- RFC 7520, 4.1 (RS256): the error about the claims, which are no JSON, shows
-- that the signature is good; 4.2 is PS384
SELECT ask('eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg');
-- ... and one letter of the claims changed
SELECT ask('eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0bx4.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg');
SELECT ask('eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw');
-- RFC 7515, A.2 (RS256), A.3 (ES256) and A.1 (HS256) name no key: their
-- signatures are tested in test/unit/test_signature.c
SELECT ask('eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw');
SELECT ask('eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk');
-- the claims of A.2 under a header that names the key
SELECT ask(make('{"alg":"RS256","kid":"rfc7515"}', E'{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}'));

-- Headers
CREATE FUNCTION head(header text) RETURNS text
LANGUAGE sql AS $$ SELECT ask(make(header, format('{"sub":"loader-7","exp":%s}', now_in(600)))) $$;
SELECT head('{"alg":"RS256","kid":"rfc7515"}');
SELECT head('{"alg":"RS256","kid":"rfc7515","typ":"at+jwt"}');
SELECT head('{"alg":"RS256","kid":"rfc7515","typ":"application/at+JWT"}');
SELECT head(' { "alg" : "RS256" , "\u006bid" : "rfc7515" } ');
SELECT head('{"alg":"RS256","kid":"rfc7515","typ":"dpop+jwt"}');
SELECT head('{"alg":"RS256","kid":"rfc7515","typ":1}');
SELECT head('{"alg":"none","kid":"rfc7515"}');
SELECT head('{"alg":"None","kid":"rfc7515"}');
SELECT head('{"alg":"HS256","kid":"rfc7515"}');
SELECT head('{"alg":"RS512","kid":"rfc7515"}');
SELECT head('{"alg":"rs256","kid":"rfc7515"}');
SELECT head('{"alg":["RS256"],"kid":"rfc7515"}');
SELECT head('{"kid":"rfc7515"}');
SELECT head('{"alg":"RS256","kid":"unknown"}');
SELECT head(format('{"alg":"RS256","kid":"%s"}', repeat('x', 400)));
SELECT head('{"alg":"RS256","kid":1}');
SELECT head('{"alg":"RS256"}');
-- the key is there, but not of this type, or for another algorithm
SELECT head('{"alg":"ES256","kid":"rfc7515"}');
SELECT head('{"alg":"RS256","kid":"rfc7515-ec"}');
SELECT head('{"alg":"PS256","kid":"2011-04-29"}');
-- another key, and PSS where the signature is PKCS #1's
SELECT head('{"alg":"RS256","kid":"2011-04-29"}');
SELECT head('{"alg":"PS256","kid":"rfc7515"}');
-- a key in the header chooses nothing
SELECT head(format('{"alg":"RS256","kid":"2011-04-29","jwk":%s,"jku":"https://example.com/","x5u":"https://example.com/"}', jwk)) FROM jwk WHERE kid = 'rfc7515';
SELECT head('{"alg":"RS256","kid":"rfc7515","crit":["exp"]}');
SELECT head('{"alg":"RS256","kid":"rfc7515","b64":false,"crit":["b64"]}');
SELECT head('{"alg":"RS256","kid":"rfc7515","alg":"RS256"}');
SELECT head('{"alg":"none","kid":"rfc7515","\u0061lg":"RS256"}');
SELECT head('{"alg":"RS256","kid":"rfc7515","more":[{"a":1,"a":2}]}');
SELECT head('["RS256"]');
SELECT head('{"alg":"RS256","kid":"rfc7515"} ');
SELECT head('{"alg":"RS256","kid":"rfc7515"}x');
SELECT head('{"alg":"RS256","kid":"rfc7515",}');
SELECT head('{"alg":"RS256","kid":"rfc7515","more":"\u0000"}');
SELECT head('{"alg":"RS256","kid":"rfc7515","more":1e999999}');
SELECT head(format('{"alg":"RS256","kid":"rfc7515","more":%s1%s}', repeat('[', 100), repeat(']', 100)));

-- HS256 with the public key as its secret, as an attacker would make it
SELECT ask(content || '.' || base64url(sha256(convert_to(content, 'UTF8'))))
FROM (SELECT base64url('{"alg":"HS256","kid":"rfc7515"}') || '.' || base64url('{"sub":"loader-7"}')) part (content);

-- Forms: every way to write a good token in another way
CREATE TABLE good AS SELECT token() AS token;
SELECT ask(token) FROM good;
SELECT ask(token || '.') FROM good;
SELECT ask(token || '.e30') FROM good;
SELECT ask(token || '=') FROM good;
SELECT ask(token || '==') FROM good;
SELECT ask(token || ' ') FROM good;
SELECT ask(token || E'\n') FROM good;
SELECT ask(token || 'A') FROM good;
SELECT ask(token || 'AA') FROM good;
SELECT ask(token || 'AAAA') FROM good;
SELECT ask(left(token, -1)) FROM good;
SELECT ask(left(token, -4)) FROM good;
SELECT ask(split_part(token, '.', 1) || '.' || split_part(token, '.', 2)) FROM good;
SELECT ask(split_part(token, '.', 1) || '.' || split_part(token, '.', 2) || '.') FROM good;
SELECT ask('.' || token) FROM good;
SELECT ask(split_part(token, '.', 1) || '..' || split_part(token, '.', 3)) FROM good;
SELECT ask(replace(replace(token, '-', '+'), '_', '/')) FROM good;
SELECT ask(base64url('{"alg":"none","kid":"rfc7515"}') || '.' || split_part(token, '.', 2) || '.') FROM good;
-- the last character of 342 has four bits that stand for nothing: 15 others
-- would decode to the same bytes, and 48 do not
SELECT count(*), min(ask(left(token, -1) || c)), max(ask(left(token, -1) || c))
FROM good, unnest(string_to_array('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', NULL)) c
WHERE c <> right(token, 1);
SELECT ask('');
SELECT ask('..');
SELECT ask('a.b.c');
SELECT ask(repeat('a', 1024 * 1024));
SELECT ask(repeat('a', 500) || '.' || repeat('b', 1024 * 1024) || '.c');
SELECT ask(repeat('.', 16384));
-- A signature that has been found good is not computed again; the key is
-- looked for each time: not there, another one, itself for something else
SELECT ask(token) FROM good;
SELECT intake.distrust_key('rfc7515');
SELECT ask(token) FROM good;
SELECT intake.trust_key('rfc7515', jwk - 'kid') FROM jwk WHERE kid LIKE 'bilbo%' AND jwk->>'kty' = 'RSA';
SELECT ask(token) FROM good;
SELECT intake.distrust_key('rfc7515');
SELECT intake.trust_key('rfc7515', jwk || '{"alg": "PS256"}') FROM jwk WHERE kid = 'rfc7515';
SELECT ask(token) FROM good;
SELECT intake.distrust_key('rfc7515');
SELECT intake.trust_key('rfc7515', jwk) FROM jwk WHERE kid = 'rfc7515';
SELECT ask(token) FROM good;
-- Headers that are none
SELECT try('SELECT intake.verify_token(NULL)');
SELECT try('SELECT intake.verify_token('''')');
SELECT try('SELECT intake.verify_token(''Basic YTpi'')');
SELECT try(format('SELECT intake.verify_token(%L)', token)) FROM good;
SELECT try(format('SELECT intake.verify_token(%L)', 'Bearer' || token)) FROM good;

-- Claims
SELECT ask(token('{"exp": null}'));
SELECT ask(token(jsonb_build_object('exp', '1')));
SELECT ask(token('{"exp": -1}'));
SELECT ask(token('{"exp": 1e300}'));
SELECT ask(token('{"exp": 253402300800}'));
SELECT ask(token('{"exp": 253402300799}'));
SELECT ask(token('{"exp": 1300819380}'));
SELECT ask(token('{"exp": 1300819380.25}'));
SELECT ask(token('{"exp": 946684800}'));
SELECT ask(token('{"nbf": 4102444800}'));
SELECT ask(token('{"iat": 4102444800}'));
SELECT ask(token('{"nbf": "now"}'));
SELECT ask(token('{"iat": []}'));
-- 60 s between the clocks
SELECT ask(token(jsonb_build_object('exp', now_in(-40)))),
	ask(token(jsonb_build_object('nbf', now_in(40), 'iat', now_in(40))));
SELECT left(ask(token(jsonb_build_object('exp', now_in(-80)))), 28),
	left(ask(token(jsonb_build_object('nbf', now_in(80)))), 34),
	left(ask(token(jsonb_build_object('iat', now_in(80)))), 40);
SELECT ask(make('{"alg":"RS256","kid":"rfc7515"}', '{"sub":"loader-7"}'));
SELECT ask(make('{"alg":"RS256","kid":"rfc7515"}', format('{"sub":"loader-7","exp":%s,"exp":1}', now_in(600))));
SELECT ask(make('{"alg":"RS256","kid":"rfc7515"}', format('{"exp":%s}', now_in(600))));
SELECT ask(make('{"alg":"RS256","kid":"rfc7515"}', '1'));
SELECT ask(token('{"sub": ""}'));
SELECT ask(token('{"sub": 7}'));
SELECT ask(token('{"roles": 7}'));
SELECT ask(token('{"roles": ["env_datareader", 7]}'));
SELECT ask(token('{"roles": {"env_datawriter": true}}'));
SELECT ask(token('{"roles": []}'));

-- Subjects: theirs is the case of letters, and no blanks are cut
SELECT ask(token('{"sub": "nobody"}'));
SELECT ask(token('{"sub": "Loader-7"}'));
SELECT ask(token('{"sub": "loader-7 "}'));
SELECT ask(token('{"sub": "nobody", "roles": ["env_datareader"]}'));
SELECT ask(token('{"sub": "nobody", "roles": ["env_datawriter"]}'));
SELECT ask(token(jsonb_build_object('sub', repeat('s', 2000))));
SELECT intake.map_principal('Пётр', 'regress_token_loader');
SELECT ask(token('{"sub": "Пётр"}'));
SELECT ask(token('{"sub": "\u041f\u0451\u0442\u0440"}'));

-- A role that has become a superuser, or a member of one
ALTER ROLE regress_token_loader SUPERUSER;
SELECT ask(token());
ALTER ROLE regress_token_loader NOSUPERUSER;
GRANT regress_token_member TO regress_token_loader;
SELECT ask(token());
REVOKE regress_token_member FROM regress_token_loader;
SELECT ask(token());
-- A role that was renamed, one that was made anew
ALTER ROLE regress_token_loader RENAME TO regress_token_carrier;
SELECT ask(token());
SELECT subject, role, state FROM intake.principals ORDER BY subject COLLATE "C";
CREATE ROLE regress_token_loader;
SELECT ask(token());
SELECT intake.map_principal('loader-7', 'regress_token_loader');
SELECT ask(token());
SELECT subject, role, state FROM intake.principals ORDER BY subject COLLATE "C";
DROP ROLE regress_token_loader;
SELECT ask(token());
-- An OID that is used again by another role
UPDATE intake.principal SET role_oid = 'regress_token_carrier'::regrole WHERE subject = 'loader-7';
SELECT ask(token());
-- In another cluster, where a dump was restored, the name decides
UPDATE intake.principal SET role_name = 'regress_token_carrier', role_oid = 1, cluster = cluster + 1
WHERE subject = 'loader-7';
SELECT ask(token());
SELECT subject, role, state FROM intake.principals ORDER BY subject COLLATE "C";
SELECT intake.map_principal('loader-7', 'regress_token_carrier');
SELECT count(*) FROM intake.principal p JOIN pg_roles r ON r.oid = p.role_oid WHERE subject = 'loader-7';
SELECT intake.unmap_principal('loader-7'), intake.unmap_principal('loader-7');
SELECT ask(token());

--
-- Rights
--

CREATE ROLE regress_token_admin;
CREATE ROLE regress_token_other;
GRANT regress_token_carrier TO regress_token_admin WITH ADMIN OPTION;
GRANT regress_token_other TO regress_token_admin;
GRANT USAGE ON SCHEMA token, intake TO regress_token_admin;
GRANT SELECT ON ALL TABLES IN SCHEMA token TO regress_token_admin;
SET SESSION AUTHORIZATION regress_token_admin;
SELECT call, left(try(call), 60) FROM unnest(ARRAY[
	'SELECT intake.trust_key(''x'', ''{}'')', 'SELECT intake.distrust_key(''x'')',
	'SELECT intake.map_principal(''x'', ''regress_token_carrier'')', 'SELECT intake.unmap_principal(''x'')',
	'SELECT intake.verify_token(''x'')', 'SELECT intake.all_trusted_keys()',
	'SELECT * FROM intake.trusted_keys', 'SELECT * FROM intake.principals',
	'SELECT * FROM intake.trusted_key', 'SELECT * FROM intake.principal']) call;
RESET SESSION AUTHORIZATION;
GRANT EXECUTE ON FUNCTION intake.map_principal(text, regrole), intake.unmap_principal(text), intake.trust_key(text, jsonb)
	TO regress_token_admin;
SELECT intake.map_principal('taken', 'regress_token_other');
SET SESSION AUTHORIZATION regress_token_admin;
SELECT intake.map_principal('mine', 'regress_token_carrier');
-- without ADMIN OPTION, oneself, a role that another is mapped to, a superuser
SELECT try('SELECT intake.map_principal(''mine'', ''regress_token_other'')');
SELECT try('SELECT intake.map_principal(''mine'', ''regress_token_admin'')');
SELECT try('SELECT intake.map_principal(''taken'', ''regress_token_carrier'')');
SELECT try('SELECT intake.unmap_principal(''taken'')');
SELECT try('SELECT intake.map_principal(''mine'', ''regress_token_super'')');
SELECT intake.unmap_principal('mine');
RESET SESSION AUTHORIZATION;
SELECT subject, role FROM intake.principals ORDER BY subject COLLATE "C";
-- read-only
BEGIN READ ONLY;
SELECT try('SELECT intake.trust_key(''k'', jwk) FROM token.jwk LIMIT 1');
SELECT try('SELECT intake.distrust_key(''k'')');
SELECT try('SELECT intake.map_principal(''s'', ''regress_token_other'')');
SELECT try('SELECT intake.unmap_principal(''s'')');
COMMIT;

SELECT intake.distrust_key(kid) FROM jwk;
SELECT intake.unmap_principal(subject) FROM intake.principals;
SELECT ask(token());
REVOKE EXECUTE ON FUNCTION intake.map_principal(text, regrole), intake.unmap_principal(text), intake.trust_key(text, jsonb)
	FROM regress_token_admin;
REVOKE USAGE ON SCHEMA intake FROM regress_token_admin;
SET client_min_messages = warning;
DROP SCHEMA token CASCADE;
DROP ROLE regress_token_admin, regress_token_other, regress_token_carrier,
	regress_token_grandchild, regress_token_member, regress_token_super;
