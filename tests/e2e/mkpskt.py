#!/usr/bin/env python3
"""Writes the params of pskt.sign for a transaction made to measure.

usage: mkpskt.py REDEEM-SCRIPT-HEX IN... -- OUT...

IN is own:AMOUNT (the script's address), pubkey:XONLY:AMOUNT or
script:REDEEM-HEX:AMOUNT, each with :TYPE (the sighash type) if not 1, and with
@NAME to spend the same outpoint again; else none comes twice.  OUT is
change:AMOUNT (back to the script), pubkey:XONLY:AMOUNT or script:HEX:AMOUNT
(version and script).
"""
import hashlib
import json
import os
import sys


def p2sh(redeem):
    return "0000aa20" + hashlib.blake2b(
        bytes.fromhex(redeem), digest_size=32).hexdigest() + "87"


def p2pk(xonly):
    return "000020" + xonly + "ac"


def make_input(own, text):
    text, _, name = text.partition("@")
    txid = hashlib.sha256(name.encode()).hexdigest() if name \
        else os.urandom(32).hex()
    kind, *rest = text.split(":")
    redeem = None
    if kind == "own":
        redeem, spk = own, p2sh(own)
    elif kind == "script":
        redeem = rest.pop(0)
        spk = p2sh(redeem)
    else:
        spk = p2pk(rest.pop(0))
    return {
        "utxoEntry": {
            "amount": int(rest[0]),
            "scriptPublicKey": spk,
            "blockDaaScore": 36151168,
            "isCoinbase": False,
        },
        "previousOutpoint": {
            "transactionId": txid,
            "index": 0,
        },
        "sequence": 0,
        "minTime": None,
        "partialSigs": {},
        "sighashType": int(rest[1]) if len(rest) > 1 else 1,
        "redeemScript": redeem,
        "sigOpCount": 3,
        "bip32Derivations": {},
        "finalScriptSig": None,
        "proprietaries": {},
    }


def make_output(own, text):
    kind, *rest = text.split(":")
    return {
        "amount": int(rest[-1]),
        "scriptPublicKey": p2sh(own) if kind == "change" else
        rest[0] if kind == "script" else p2pk(rest[0]),
        "redeemScript": None,
        "bip32Derivations": {},
        "proprietaries": {},
    }


def main():
    if len(sys.argv) < 5 or "--" not in sys.argv:
        sys.exit(__doc__)
    own = sys.argv[1]
    at = sys.argv.index("--")
    inputs = [make_input(own, x) for x in sys.argv[2:at]]
    outputs = [make_output(own, x) for x in sys.argv[at + 1:]]
    json.dump({"pskt": {
        "global": {
            "version": 0,
            "txVersion": 0,
            "fallbackLockTime": None,
            "inputsModifiable": False,
            "outputsModifiable": False,
            "inputCount": len(inputs),
            "outputCount": len(outputs),
            "xpubs": {},
            "id": None,
            "proprietaries": {},
            "payload": None,
        },
        "inputs": inputs,
        "outputs": outputs,
    }}, sys.stdout)


main()
