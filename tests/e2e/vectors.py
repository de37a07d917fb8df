"""Signs every request of a vector file with every key through a signer.

vectors.py SOCKET FILE KEYS: KEYS is a JSON object {private key: profile}.
Prints one "ok - …" or "not ok - …" line a request and key.
"""
import copy
import json
import sys

import bip340
from rpcclient import Number, Signer, dump, parse

failures = 0


def report(good, what, detail=""):
    global failures
    print(("ok - " if good else "not ok - ") + what)
    if not good:
        failures += 1
        if detail:
            print("    " + detail)


def documents(value):
    """The list of PSKT objects in a request or answer."""
    if isinstance(value, str) and value[:4] in ("PSKT", "PSKB"):
        inner = parse(bytes.fromhex(value[4:]).decode())
        return [inner] if value[:4] == "PSKT" else inner
    return [value]


def without_ours(doc, before, xonly):
    """The returned document less what signing may add."""
    doc = copy.deepcopy(doc)
    for new, old in zip(doc["inputs"], before["inputs"]):
        for k in list(new["partialSigs"]):
            if k[2:] == xonly and k not in old["partialSigs"]:
                del new["partialSigs"][k]
        for k, v in list(new["bip32Derivations"].items()):
            if k[2:] == xonly and v is None and \
                    k not in old["bip32Derivations"]:
                del new["bip32Derivations"][k]
    return doc


def check(signer, name, request, private, profile, txid, expected):
    """expected: {input: sighash hex} that this key signs."""
    xonly = bip340.pubkey(bytes.fromhex(private))[1:].hex()
    what = "%s, %s" % (name, profile)
    params = '{"pskt":%s,"profile":"%s"}' % (dump(request), profile)
    answer = signer.call_raw("pskt.sign", params)
    if not expected:
        code = answer.get("error", {}).get("data", {}).get("code")
        report(code == "NOT_A_SIGNER", what + ": not a signer", str(answer))
        return
    if "error" in answer:
        report(False, what, str(answer["error"]))
        return
    result = answer["result"]
    problems = []
    ids = result.get("transaction_ids") or [result.get("transaction_id")]
    if ids[0] != txid:
        problems.append("transaction id %s" % ids)
    if result["audit"]["seq"] < "1" or len(result["audit"]["head"]) != 64:
        problems.append("audit %s" % result["audit"])
    signed = {}
    for s in result["signatures"]:
        if s["public_key"] != xonly:
            problems.append("signature of another key")
        signed[int(s["input"])] = s["signature"]
    if set(signed) != set(expected):
        problems.append("signed %s, not %s" % (sorted(signed),
                                               sorted(expected)))
    for i, sig in signed.items():
        if i in expected and not bip340.verify(
                bytes.fromhex(xonly), bytes.fromhex(expected[i]),
                bytes.fromhex(sig)):
            problems.append("input %d: signature does not verify" % i)
    before, after = documents(request), documents(result["pskt"])
    if type(request) is not type(result["pskt"]) or \
            len(before) != len(after):
        problems.append("came back in another form")
    for old, new in zip(before, after):
        if without_ours(new, old, xonly) != old:
            problems.append("the document did not come back as it was")
    for i, sig in signed.items():
        found = [v for k, v in after[0]["inputs"][i]["partialSigs"].items()
                 if k[2:] == xonly]
        if {"schnorr": sig} not in found:
            problems.append("input %d: not in partialSigs" % i)
    report(not problems, what, "; ".join(problems))


def main():
    signer = Signer(sys.argv[1])
    cases = parse(open(sys.argv[2]).read())
    keys = json.loads(sys.argv[3])
    for case in cases:
        if "signatures" in case:
            per_key = {}
            for s in case["signatures"]:
                i = int(s["input"])
                per_key.setdefault(s["xonly_public_key"], {})[i] = \
                    case["sighashes"][i]
            request = case["pskt"]
            mine = case["multisig_private_keys"] + \
                [case["single_private_key"]]
        else:
            per_key = None
            request = case["request"]
            mine = [case["private_key"]]
        for private in mine:
            if "error" in case:
                answer = signer.call_raw(
                    "pskt.sign", '{"pskt":%s,"profile":"%s"}'
                    % (dump(request), keys[private]))
                code = answer.get("error", {}).get("data", {}).get("code")
                report(code == case["error"], "%s: %s"
                       % (case["name"], case["error"]), str(answer))
                continue
            xonly = bip340.pubkey(bytes.fromhex(private))[1:].hex()
            expected = per_key.get(xonly, {}) if per_key is not None else \
                {int(k): v for k, v in case["sighashes"].items()
                 if "mine" not in case or Number(k) in case["mine"]}
            check(signer, case["name"], request, private, keys[private],
                  case["transaction_id"], expected)
    sys.exit(1 if failures else 0)


main()
