"""Kaspa sighashes of transaction versions 0 and 1, and a check of what was signed.

Written from the formula; shares no code with the signer.  Needs what every
PSKT of a transaction on the native subnetwork has.

sighash.py check RESULT       verifies every signature of a pskt.sign result
sighash.py respend PSKT HEX   the same PSKT, its coins under another redeem
                              script (32-byte keys, multisig)
"""
import hashlib
import json
import sys

import bip340

ALL, NONE, SINGLE, ANYONECANPAY = 1, 2, 4, 0x80
ZERO = bytes(32)


def h(data):
    return hashlib.blake2b(data, digest_size=32,
                           key=b"TransactionSigningHash").digest()


def le(n, size):
    return n.to_bytes(size, "little")


def spk(text):
    """Two bytes of version, big-endian, then the script."""
    raw = bytes.fromhex(text)
    return le(int.from_bytes(raw[:2], "big"), 2) + le(len(raw) - 2, 8) + raw[2:]


def outpoint(i):
    at = i["previousOutpoint"]
    return bytes.fromhex(at["transactionId"]) + le(at["index"], 4)


def sequence(i):
    s = i.get("sequence")
    return le(2**64 - 1 if s is None else s, 8)


def output(o, version):
    plain = le(o["amount"], 8) + spk(o["scriptPublicKey"])
    if version == 0:
        return plain
    covenant = o.get("covenant")
    if covenant is None:
        return plain + b"\0"
    return plain + b"\1" + le(covenant["authorizingInput"], 2) + \
        bytes.fromhex(covenant["covenantId"])


def lock_time(doc):
    if not doc["inputs"]:
        return doc["global"].get("fallbackLockTime") or 0
    return max(i.get("minTime") or 0 for i in doc["inputs"])


def sighash(doc, n):
    ins, outs, mine = doc["inputs"], doc["outputs"], doc["inputs"][n]
    kind, base = mine["sighashType"], mine["sighashType"] & 0x7f
    alone = kind & ANYONECANPAY
    version = doc["global"]["txVersion"]
    if version not in (0, 1):
        sys.exit("sighash.py: transaction version is neither 0 nor 1")
    prevouts = ZERO if alone else h(b"".join(map(outpoint, ins)))
    sequences = ZERO if alone or base in (NONE, SINGLE) else \
        h(b"".join(map(sequence, ins)))
    sigops = b"" if version == 1 else ZERO if alone else \
        h(bytes(i.get("sigOpCount") or 0 for i in ins))
    if base == NONE or (base == SINGLE and n >= len(outs)):
        outputs = ZERO
    elif base == SINGLE:
        outputs = h(output(outs[n], version))
    else:
        outputs = h(b"".join(output(o, version) for o in outs))
    payload = b""
    if doc["global"]["version"] >= 1 and doc["global"].get("payload"):
        payload = bytes.fromhex(doc["global"]["payload"])
    utxo = mine["utxoEntry"]
    return h(
        le(version, 2) + prevouts + sequences + sigops + outpoint(mine) +
        spk(utxo["scriptPublicKey"]) + le(utxo["amount"], 8) +
        sequence(mine) +
        (b"" if version == 1 else le(mine.get("sigOpCount") or 0, 1)) +
        outputs +
        le(lock_time(doc), 8) + bytes(20) + le(0, 8) +
        (h(le(len(payload), 8) + payload) if payload else ZERO) +
        le(kind, 1))


def check(result):
    good = True
    for s in result["signatures"]:
        digest = sighash(result["pskt"], s["input"])
        valid = bip340.verify(bytes.fromhex(s["public_key"]), digest,
                              bytes.fromhex(s["signature"]))
        good = good and valid
        print("input %d  key %s…  sighash %s…  %s" % (
            s["input"], s["public_key"][:16], digest.hex()[:16],
            "valid" if valid else "NOT VALID"))
    if not result["signatures"]:
        print("no signatures")
    return good and bool(result["signatures"])


def respend(doc, redeem):
    digest = hashlib.blake2b(bytes.fromhex(redeem), digest_size=32).hexdigest()
    for i in doc["inputs"]:
        i["utxoEntry"]["scriptPublicKey"] = "0000aa20" + digest + "87"
        i["redeemScript"] = redeem
        i["sigOpCount"] = int(redeem[-4:-2], 16) - 0x50
        i["partialSigs"] = {}
        i["bip32Derivations"] = {}
    return doc


def main(argv):
    if len(argv) == 3 and argv[1] == "check":
        with open(argv[2]) as f:
            return 0 if check(json.load(f)) else 1
    if len(argv) == 4 and argv[1] == "respend":
        with open(argv[2]) as f:
            print(json.dumps(respend(json.load(f), argv[3])))
        return 0
    sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
