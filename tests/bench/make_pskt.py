#!/usr/bin/env python3
"""Writes pskt.sign requests for tests/bench/run.sh, one a line.

usage: make_pskt.py REDEEM-SCRIPT-HEX INPUTS COUNT >BODIES

Every input spends an output to the script's P2SH address, and no outpoint
comes twice, also not in the requests of another call with other INPUTS.  One
output pays a stranger, one is change.
"""
import hashlib
import json
import sys


def p2sh(redeem):
    digest = hashlib.blake2b(redeem, digest_size=32).digest()
    return "0000" + "aa20" + digest.hex() + "87"


def make_input(redeem, spk, name):
    return {
        "utxoEntry": {
            "amount": 100_000_000,
            "scriptPublicKey": spk,
            "blockDaaScore": 36151168,
            "isCoinbase": False,
        },
        "previousOutpoint": {
            "transactionId": hashlib.sha256(name.encode()).hexdigest(),
            "index": 0,
        },
        "sequence": 0,
        "minTime": None,
        "partialSigs": {},
        "sighashType": 1,
        "redeemScript": redeem.hex(),
        "sigOpCount": 2,
        "bip32Derivations": {},
        "finalScriptSig": None,
        "proprietaries": {},
    }


def make_output(amount, spk):
    return {
        "amount": amount,
        "scriptPublicKey": spk,
        "redeemScript": None,
        "bip32Derivations": {},
        "proprietaries": {},
    }


def make_pskt(redeem, inputs, number):
    spk = p2sh(redeem)
    stranger = "0000" + "20" + "b2" * 32 + "ac"
    total = inputs * 100_000_000
    paid = total // 2
    return {
        "global": {
            "version": 0,
            "txVersion": 0,
            "fallbackLockTime": None,
            "inputsModifiable": False,
            "outputsModifiable": False,
            "inputCount": inputs,
            "outputCount": 2,
            "xpubs": {},
            "id": None,
            "proprietaries": {},
            "payload": None,
        },
        "inputs": [make_input(redeem, spk, f"bench {inputs} {number} {i}")
                   for i in range(inputs)],
        "outputs": [
            make_output(paid, stranger),
            make_output(total - paid - 1_000_000, spk),
        ],
    }


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    redeem = bytes.fromhex(sys.argv[1])
    inputs, count = int(sys.argv[2]), int(sys.argv[3])
    for number in range(count):
        print(json.dumps({
            "jsonrpc": "2.0",
            "id": number,
            "method": "pskt.sign",
            "params": {"pskt": make_pskt(redeem, inputs, number)},
        }, separators=(",", ":")))


main()
