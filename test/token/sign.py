"""Makes tokens and keys by python3-jwt and python3-cryptography, which share
no code with what reads them.

    sign.py jwk KEY.pem [MEMBERS]
        the public half of a key as a JWK, with more members
    sign.py token KEY.pem ALGORITHM CLAIMS HEADERS
        a token; ALGORITHM none makes one without a signature
    sign.py hmac KEY.pem CLAIMS HEADERS
        a token by HS256 whose secret is the public half of the key

CLAIMS, HEADERS and MEMBERS are JSON objects.  In CLAIMS "@N" is the time in
N seconds.
"""
import base64
import hashlib
import hmac
import json
import sys
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm


def read_key(path):
    with open(path, 'rb') as file:
        return serialization.load_pem_private_key(file.read(), None)


def read_claims(text):
    claims = json.loads(text)
    for name, value in claims.items():
        if isinstance(value, str) and value.startswith('@'):
            claims[name] = int(time.time()) + int(value[1:])
    return claims


def make_jwk(path, members='{}'):
    public = read_key(path).public_key()
    kind = RSAAlgorithm if isinstance(public, rsa.RSAPublicKey) else ECAlgorithm
    jwk = json.loads(kind.to_jwk(public))
    # the library says of a public key that it verifies, and nothing else
    jwk.update(json.loads(members))
    return json.dumps(jwk)


def make_token(path, algorithm, claims, headers):
    key = '' if algorithm == 'none' else read_key(path)
    return jwt.encode(read_claims(claims), key, algorithm=algorithm,
                      headers=json.loads(headers))


def make_hmac(path, claims, headers):
    # by hand: the library refuses to take a public key for a secret
    pem = read_key(path).public_key().public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo)
    def encode(value):
        text = json.dumps(value).encode()
        return base64.urlsafe_b64encode(text).rstrip(b'=')
    header = {'alg': 'HS256', 'typ': 'JWT', **json.loads(headers)}
    content = encode(header) + b'.' + encode(read_claims(claims))
    signature = hmac.new(pem, content, hashlib.sha256).digest()
    return (content + b'.' +
            base64.urlsafe_b64encode(signature).rstrip(b'=')).decode()


MAKERS = {'jwk': make_jwk, 'token': make_token, 'hmac': make_hmac}
print(MAKERS[sys.argv[1]](*sys.argv[2:]))
