#!/usr/bin/env python3
"""Cosigners of an HD multisig, by code that shares none with the signer.

SIGNERS is a JSON list of {phrase, payment}; ACCOUNT a path like
m/45'/111111'/0', REL what follows it, like 0/1/7.

hd_ref.py xpub SIGNERS ACCOUNT PREFIX     a line for each: fingerprint, xpub
hd_ref.py pskt SIGNERS ACCOUNT M IN... -- OUT...
                                          params of pskt.sign
    IN is own:REL:AMOUNT (the multisig of all at REL) or key:N:REL:AMOUNT
    (pay-to-pubkey of signer N); OUT is change:REL:AMOUNT or
    pubkey:XONLY:AMOUNT.  Each claims where its keys come from.
hd_ref.py check SIGNERS ACCOUNT N RESULT  verifies a result of pskt.sign: each
                                          signature is by signer N's key at
                                          its input's path, and in partialSigs
"""
import hashlib
import hmac
import json
import os
import struct
import sys

import bip340
import sighash
from keygen_ref import H, N, pubkey, seed_of

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
VERSIONS = {"kpub": 0x038f332e, "ktub": 0x0390a241, "xpub": 0x0488b21e}


def steps(path):
    return [int(s.rstrip("'")) + (H if s.endswith("'") else 0)
            for s in path.split("/") if s not in ("", "m")]


# RIPEMD-160, which hashlib may not have (openssl 3 without legacy).
def ripemd160(data):
    try:
        return hashlib.new("ripemd160", data).digest()
    except ValueError:
        return _ripemd160(data)


def _ripemd160(data):
    r1 = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
          7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8,
          3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12,
          1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2,
          4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13]
    r2 = [5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12,
          6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2,
          15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13,
          8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14,
          12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11]
    s1 = [11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8,
          7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12,
          11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5,
          11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12,
          9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6]
    s2 = [8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6,
          9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11,
          9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5,
          15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8,
          8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11]
    k1 = [0, 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xa953fd4e]
    k2 = [0x50a28be6, 0x5c4dd124, 0x6d703ef3, 0x7a6d76e9, 0]
    f = [lambda x, y, z: x ^ y ^ z, lambda x, y, z: (x & y) | (~x & z),
         lambda x, y, z: (x | ~y) ^ z, lambda x, y, z: (x & z) | (y & ~z),
         lambda x, y, z: x ^ (y | ~z)]

    def rol(x, n):
        x &= 0xffffffff
        return (x << n | x >> (32 - n)) & 0xffffffff

    h = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]
    data += b"\x80" + bytes((55 - len(data)) % 64) + \
        struct.pack("<Q", 8 * len(data))
    for at in range(0, len(data), 64):
        m = struct.unpack("<16I", data[at:at + 64])
        left, right = list(h), list(h)
        for j in range(80):
            for v, r, s, k, g in ((left, r1, s1, k1, f[j // 16]),
                                  (right, r2, s2, k2, f[4 - j // 16])):
                t = rol(v[0] + g(*v[1:4]) + m[r[j]] + k[j // 16],
                        s[j]) + v[4]
                v[:] = v[4], t & 0xffffffff, v[1], rol(v[2], 10), v[3]
        h = [(h[(i + 1) % 5] + left[(i + 2) % 5] + right[(i + 3) % 5]) &
             0xffffffff for i in range(5)]
    return struct.pack("<5I", *h)


def fingerprint(pub):
    return ripemd160(hashlib.sha256(pub).digest())[:4]


def base58check(data):
    data += hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]
    n, text = int.from_bytes(data, "big"), ""
    while n:
        n, digit = divmod(n, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


class Key:
    """An extended private key: BIP32's master, or one below another."""

    def __init__(self, secret, chain, parent=bytes(4), depth=0, child=0):
        self.secret, self.chain = secret, chain
        self.parent, self.depth, self.child = parent, depth, child
        self.pub = pubkey(secret)

    def below(self, path):
        k = self
        for step in steps(path):
            data = b"\0" + k.secret if step >= H else k.pub
            i = hmac.digest(k.chain, data + struct.pack(">I", step), "sha512")
            secret = (int.from_bytes(i[:32], "big") +
                      int.from_bytes(k.secret, "big")) % N
            k = Key(secret.to_bytes(32, "big"), i[32:], fingerprint(k.pub),
                    k.depth + 1, step)
        return k

    def xpub(self, prefix):
        return base58check(struct.pack(">IB4sI", VERSIONS[prefix], self.depth,
                                       self.parent, self.child) +
                           self.chain + self.pub)


class Group:
    def __init__(self, path, account):
        with open(path) as f:
            signers = json.load(f)
        self.account = account
        self.masters = []
        for s in signers:
            i = hmac.digest(b"Bitcoin seed", seed_of(s["phrase"],
                                                     s["payment"]), "sha512")
            self.masters.append(Key(i[:32], i[32:]))
        self.accounts = [m.below(account) for m in self.masters]

    def path(self, rel):
        return self.account + "/" + rel

    def pubs(self, rel):
        return [a.below(rel).pub for a in self.accounts]

    def sources(self, rel, who=None):
        return {
            p.hex(): {
                "keyFingerprint": fingerprint(m.pub).hex(),
                "derivationPath": self.path(rel),
            } for n, (m, p) in enumerate(zip(self.masters, self.pubs(rel)))
            if who is None or n == who
        }

    def redeem(self, m, rel):
        pubs = sorted(self.pubs(rel))
        return bytes([0x50 + m]) + b"".join(
            b"\x20" + p[1:] for p in pubs) + bytes([0x50 + len(pubs), 0xae])


def p2sh(redeem):
    return "0000aa20" + hashlib.blake2b(redeem,
                                        digest_size=32).hexdigest() + "87"


def make_input(group, m, text):
    kind, *rest = text.split(":")
    redeem, who = None, None
    if kind == "own":
        redeem = group.redeem(m, rest[0])
        spk = p2sh(redeem)
    else:
        who = int(rest.pop(0))
        spk = "000020" + group.pubs(rest[0])[who][1:].hex() + "ac"
    return {
        "utxoEntry": {"amount": int(rest[1]), "scriptPublicKey": spk,
                      "blockDaaScore": 36151168, "isCoinbase": False},
        "previousOutpoint": {"transactionId": os.urandom(32).hex(),
                             "index": 1},
        "sequence": 0, "minTime": None, "partialSigs": {}, "sighashType": 1,
        "redeemScript": redeem.hex() if redeem else None, "sigOpCount": 3,
        "bip32Derivations": group.sources(rest[0], who),
        "finalScriptSig": None, "proprietaries": {},
    }


def make_output(group, m, text):
    kind, what, amount = text.split(":")
    redeem = group.redeem(m, what) if kind == "change" else None
    return {
        "amount": int(amount),
        "scriptPublicKey": p2sh(redeem) if redeem else
        "000020" + what + "ac",
        "redeemScript": redeem.hex() if redeem else None,
        "bip32Derivations": group.sources(what) if redeem else {},
        "proprietaries": {},
    }


def make_pskt(group, m, inputs, outputs):
    return {
        "global": {
            "version": 1, "txVersion": 0, "fallbackLockTime": None,
            "inputsModifiable": False, "outputsModifiable": False,
            "inputCount": len(inputs), "outputCount": len(outputs),
            "xpubs": {}, "id": None, "proprietaries": {}, "payload": None,
        },
        "inputs": [make_input(group, m, x) for x in inputs],
        "outputs": [make_output(group, m, x) for x in outputs],
    }


def check(group, who, result):
    """None, or what is wrong."""
    doc, seen = result["pskt"], set()
    for s in result["signatures"]:
        i = doc["inputs"][s["input"]]
        mine = fingerprint(group.masters[who].pub).hex()
        paths = [v["derivationPath"] for v in i["bip32Derivations"].values()
                 if v and v["keyFingerprint"] == mine]
        if len(paths) != 1:
            return "input %d: no path of ours" % s["input"]
        pub = group.masters[who].below(paths[0]).pub
        if s["public_key"] != pub[1:].hex():
            return "input %d: another key than at %s" % (s["input"], paths[0])
        if not bip340.verify(pub[1:], sighash.sighash(doc, s["input"]),
                             bytes.fromhex(s["signature"])):
            return "input %d: does not verify" % s["input"]
        if i["partialSigs"].get("02" + pub[1:].hex()) != \
                {"schnorr": s["signature"]}:
            return "input %d: not in partialSigs" % s["input"]
        seen.add(pub)
    return None if seen else "no signatures"


def main(argv):
    if len(argv) < 4:
        sys.exit(__doc__)
    group = Group(argv[2], argv[3])
    if argv[1] == "xpub" and len(argv) == 5:
        for m, a in zip(group.masters, group.accounts):
            print(fingerprint(m.pub).hex(), a.xpub(argv[4]))
    elif argv[1] == "pskt" and "--" in argv:
        at = argv.index("--")
        print(json.dumps({"pskt": make_pskt(
            group, int(argv[4]), argv[5:at], argv[at + 1:])}))
    elif argv[1] == "check" and len(argv) == 6:
        with open(argv[5]) as f:
            wrong = check(group, int(argv[4]), json.load(f))
        if wrong:
            sys.exit(wrong)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
