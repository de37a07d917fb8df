#!/usr/bin/env python3
"""Is this the transaction of this PSKT, and would a node run its scripts?

usage: checktx.py PSKT TRANSACTION

PSKT is the document (a JSON object), TRANSACTION what pskt.extract or
igra-coord made of it.  Takes the signature scripts apart and verifies every
signature by sighash.py; shares no code with the signer.
"""
import hashlib
import json
import sys

import bip340
import sighash


def pushes(script):
    """The data of a script of nothing but pushes."""
    at = 0
    while at < len(script):
        op = script[at]
        at += 1
        if 1 <= op <= 75:
            n = op
        elif op == 0x4c:
            n, at = script[at], at + 1
        elif op == 0x4d:
            n, at = int.from_bytes(script[at:at + 2], "little"), at + 2
        else:
            sys.exit("checktx.py: opcode %02x in a signature script" % op)
        if at + n > len(script):
            sys.exit("checktx.py: a push past the end")
        yield script[at:at + n]
        at += n


def keys_of(redeem):
    """m and the x-only keys of a multisig redeem script."""
    n = redeem[-2] - 0x50
    if len(redeem) != 3 + 33 * n or redeem[-1] != 0xae:
        sys.exit("checktx.py: not a Schnorr multisig")
    return redeem[0] - 0x50, [redeem[2 + 33 * i:34 + 33 * i]
                              for i in range(n)]


def check_input(doc, n, script):
    data = list(pushes(script))
    spk = bytes.fromhex(doc["inputs"][n]["utxoEntry"]["scriptPublicKey"])[2:]
    if spk[0] == 0x20:
        m, keys, sigs = 1, [spk[1:33]], data
    else:
        redeem, sigs = data[-1], data[:-1]
        digest = hashlib.blake2b(redeem, digest_size=32).digest()
        if spk != b"\xaa\x20" + digest + b"\x87":
            sys.exit("checktx.py: the redeem script is another one")
        m, keys = keys_of(redeem)
    if len(sigs) != m:
        sys.exit("checktx.py: %d signatures, not %d" % (len(sigs), m))
    digest = sighash.sighash(doc, n)
    at = 0
    for sig in sigs:
        if len(sig) != 65 or sig[64] != doc["inputs"][n]["sighashType"]:
            sys.exit("checktx.py: not a signature with its sighash type")
        # As OP_CHECKMULTISIG: in the order of the keys.
        while at < len(keys) and not bip340.verify(keys[at], digest, sig[:64]):
            at += 1
        if at == len(keys):
            sys.exit("checktx.py: input %d: a signature is not valid" % n)
        at += 1
    print("input %d  %d of %d signatures, each valid" % (n, m, len(keys)))


def main(argv):
    if len(argv) != 3:
        sys.exit(__doc__)
    with open(argv[1]) as f:
        doc = json.load(f)
    with open(argv[2]) as f:
        tx = json.load(f)["transaction"]
    assert len(tx["inputs"]) == len(doc["inputs"])
    assert [(o["value"], o["scriptPublicKey"]) for o in tx["outputs"]] == \
        [(o["amount"], o["scriptPublicKey"]) for o in doc["outputs"]]
    for n, i in enumerate(tx["inputs"]):
        was = doc["inputs"][n]
        assert i["previousOutpoint"] == was["previousOutpoint"]
        assert i["sigOpCount"] == was["sigOpCount"]
        check_input(doc, n, bytes.fromhex(i["signatureScript"]))


main(sys.argv)
