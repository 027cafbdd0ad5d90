#!/usr/bin/env python3
"""Makes tokens with PyJWT, which shares no code with the extension.

Standard input: a JSON object from names to {claims, key, algorithm, headers}, all but the first
optional; standard output: an object from the same names to tokens.  Without a key, the key of the
first argument signs.  Algorithm RS256 signs with an RSA key made for the occasion.  With "verify"
as second argument: names to {token, audience}, and the claims that PyJWT reads out of them.
"""
import json
import sys

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def rsa_key():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def mint(spec, key):
    algorithm = spec.get("algorithm", "HS256")
    if algorithm == "RS256":
        key = rsa_key()
    elif algorithm == "none":
        key = None
    else:
        key = spec.get("key", key)
    return jwt.encode(spec["claims"], key, algorithm=algorithm, headers=spec.get("headers"))


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        key = file.read().removesuffix("\n")
    specs = json.load(sys.stdin)
    if sys.argv[2:] == ["verify"]:
        result = {name: jwt.decode(spec["token"], key, algorithms=["HS256"],
                                   audience=spec["audience"]) for name, spec in specs.items()}
    else:
        result = {name: mint(spec, key) for name, spec in specs.items()}
    json.dump(result, sys.stdout)


main()
