"""Runs the scripts of an extracted transaction as a Kaspa node does.

Written from the rules; shares no code with the signer.

script_run.py run SUBMIT PSKT   every input of the result of pskt.extract
                                against the UTXOs of the document (an object);
                                prints the transaction id
script_run.py signed VECTORS       the documents of pskt.json with the
                                signatures that it has, one a line
script_run.py each VECTORS SUBMITS
                                as run, line by line; the ids must be the
                                vectors'; says how many
script_run.py heavy N KEYS [PAYLOAD]
                                a document of N inputs with KEYS signatures
                                each that do not verify, and so many bytes
script_run.py ecdsa             a document of two inputs, signed with ECDSA:
                                P2PK, and multisig 2 of 3; as an object
script_run.py together N FILE SOCKET
                                sends the body of FILE N times, the last bytes
                                all at once; counts the statuses
script_run.py edit HEX CODE     the document of that hex form, d, after CODE
"""
import hashlib
import json
import os
import socket
import sys

import bip340
import sighash


class Invalid(Exception):
    pass


def demand(true, what):
    if not true:
        raise Invalid(what)


def operations(script):
    """(opcode, data or None); pushes must be the shortest for their length."""
    at = 0
    while at < len(script):
        op = script[at]
        at += 1
        if op <= 75:
            size, least = op, 1
        elif op == 0x4c:
            size, least = script[at], 76
            at += 1
        elif op == 0x4d:
            size, least = int.from_bytes(script[at:at + 2], "little"), 256
            at += 2
        else:
            yield op, None
            continue
        demand(least <= size and at + size <= len(script), "push")
        yield op, script[at:at + size]
        at += size


def ecdsa_digest(doc, n):
    domain = hashlib.sha256(b"TransactionSigningHashECDSA").digest()
    return int.from_bytes(hashlib.sha256(
        domain + sighash.sighash(doc, n)).digest(), "big")


def ecdsa_verify(key, z, signature):
    n = bip340.N
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:], "big")
    point = bip340.lift_x(int.from_bytes(key[1:], "big"))
    if point is None or not 0 < r < n or not 0 < s <= n // 2:
        return False
    if point[1] % 2 != key[0] % 2:
        point = point[0], bip340.P - point[1]
    w = pow(s, n - 2, n)
    result = bip340._mul2(z * w % n, r * w % n, point)
    return result is not None and result[0] % n == r


def ecdsa_sign(secret, z):
    """DER, with s in the lower half."""
    n = bip340.N
    k = int.from_bytes(os.urandom(32), "big") % (n - 1) + 1
    r = bip340._mul2(k, 0, None)[0] % n
    s = pow(k, n - 2, n) * (z + r * secret) % n
    s = min(s, n - s)

    def integer(v):
        b = v.to_bytes(v.bit_length() // 8 + 1, "big")
        return bytes([2, len(b)]) + b
    body = integer(r) + integer(s)
    return bytes([0x30, len(body)]) + body


class Machine:
    def __init__(self, doc, n, limit):
        self.doc, self.n, self.limit = doc, n, limit
        self.stack, self.checks = [], 0

    def signed(self, key, signature):
        """One signature operation, counted against sigOpCount."""
        self.checks += 1
        demand(self.checks <= self.limit, "more checks than sigOpCount")
        demand(len(signature) == 65, "length of a signature")
        self.doc["inputs"][self.n]["sighashType"] = signature[64]
        if len(key) == 33:
            return ecdsa_verify(key, ecdsa_digest(self.doc, self.n),
                                signature[:64])
        return bip340.verify(key, sighash.sighash(self.doc, self.n),
                             signature[:64])

    def multisig(self):
        keys = self.take_list()
        signatures = self.take_list()
        demand(len(signatures) <= len(keys), "counts")
        keys = iter(keys)
        for s in signatures:
            if not any(self.signed(k, s) for k in keys):
                return False
        return True

    def take_list(self):
        n = self.stack.pop()
        n = n[0] if n else 0
        demand(n <= len(self.stack), "count")
        out = self.stack[len(self.stack) - n:]
        del self.stack[len(self.stack) - n:]
        return out

    def run(self, script):
        for op, data in operations(script):
            if data is not None:
                self.stack.append(data)
            elif 0x51 <= op <= 0x60:
                self.stack.append(bytes([op - 0x50]))
            elif op == 0xaa:
                self.stack.append(hashlib.blake2b(
                    self.stack.pop(), digest_size=32).digest())
            elif op == 0x87:
                self.push(self.stack.pop() == self.stack.pop())
            elif op in (0xab, 0xac):
                key = self.stack.pop()
                self.push(self.signed(key, self.stack.pop()))
            elif op in (0xa9, 0xae):
                self.push(self.multisig())
            else:
                raise Invalid("opcode %02x" % op)

    def push(self, true):
        self.stack.append(b"\1" if true else b"")


def spend(doc, n, script, limit):
    m = Machine(doc, n, limit)
    for op, data in operations(script):
        demand(data is not None, "a signature script may only push")
    m.run(script)
    pushed = list(m.stack)
    spk = bytes.fromhex(doc["inputs"][n]["utxoEntry"]["scriptPublicKey"])
    demand(spk[:2] == b"\0\0", "script version")
    m.run(spk[2:])
    demand(m.stack and m.stack[-1] == b"\1", "script public key")
    m.stack.pop()
    if spk[2] == 0xaa:
        m.stack = pushed
        m.run(m.stack.pop())
        demand(m.stack and m.stack[-1] == b"\1", "redeem script")
        m.stack.pop()
    demand(not m.stack, "something is left on the stack")
    return m.checks


def as_doc(tx, pskt):
    """What sighash.py takes, made of the transaction; UTXOs of the document."""
    utxo = {}
    for i in pskt["inputs"]:
        o = i["previousOutpoint"]
        utxo[o["transactionId"].lower(), o["index"]] = i["utxoEntry"]
    inputs = []
    for i in tx["inputs"]:
        o = i["previousOutpoint"]
        inputs.append({
            "previousOutpoint": o, "sequence": i["sequence"],
            "sigOpCount": i["sigOpCount"], "minTime": tx["lockTime"],
            "utxoEntry": utxo[o["transactionId"], o["index"]],
        })
    outputs = [{"amount": o["value"], "scriptPublicKey": o["scriptPublicKey"]}
               for o in tx["outputs"]]
    return {"global": {"txVersion": tx["version"], "version": 1,
                       "payload": tx["payload"]},
            "inputs": inputs, "outputs": outputs}


def transaction_id(tx, doc):
    le = sighash.le
    data = le(tx["version"], 2) + le(len(doc["inputs"]), 8)
    for i in doc["inputs"]:
        data += sighash.outpoint(i) + le(0, 8) + sighash.sequence(i)
    data += le(len(doc["outputs"]), 8)
    data += b"".join(sighash.output(o, tx["version"]) for o in doc["outputs"])
    payload = bytes.fromhex(tx["payload"])
    data += le(tx["lockTime"], 8) + bytes.fromhex(tx["subnetworkId"])
    data += le(tx["gas"], 8) + le(len(payload), 8) + payload
    return hashlib.blake2b(data, digest_size=32,
                           key=b"TransactionID").hexdigest()


def run(submit, pskt):
    tx = submit["transaction"]
    demand(submit["allowOrphan"] is False, "allowOrphan")
    demand(tx["subnetworkId"] == "00" * 20 and tx["gas"] == 0, "subnetwork")
    demand(tx["storageMass"] == tx["mass"], "masses")
    doc = as_doc(tx, pskt)
    for n, i in enumerate(tx["inputs"]):
        spend(doc, n, bytes.fromhex(i["signatureScript"]), i["sigOpCount"])
    return transaction_id(tx, doc)


def signed(path):
    with open(path) as f:
        for case in json.load(f):
            for s in case["signatures"]:
                case["pskt"]["inputs"][s["input"]]["partialSigs"][
                    "02" + s["xonly_public_key"]] = {
                        "schnorr": s["signature"]}
            print(json.dumps(case["pskt"]))


def each(path, submits):
    with open(path) as f, open(submits) as g:
        cases, lines = json.load(f), g.read().splitlines()
    demand(len(cases) == len(lines), "number of lines")
    inputs = 0
    for case, line in zip(cases, lines):
        demand(run(json.loads(line), case["pskt"]) == case["transaction_id"],
               "%s: transaction id" % case["name"])
        inputs += len(case["pskt"]["inputs"])
    print(len(cases), "transactions,", inputs, "inputs")


def make_input(redeem, spk, keys):
    return {
        "utxoEntry": {"amount": 10**9, "scriptPublicKey": spk,
                      "blockDaaScore": 1, "isCoinbase": False},
        "previousOutpoint": {"transactionId": os.urandom(32).hex(),
                             "index": 0},
        "sequence": 0, "minTime": None, "sighashType": 1,
        "partialSigs": {}, "redeemScript": redeem and redeem.hex(),
        "sigOpCount": keys, "bip32Derivations": {},
        "finalScriptSig": None, "proprietaries": {},
    }


def make_doc(inputs, spk):
    return {
        "global": {"version": 0, "txVersion": 0, "fallbackLockTime": None,
                   "inputsModifiable": False, "outputsModifiable": False,
                   "inputCount": len(inputs), "outputCount": 1, "xpubs": {},
                   "id": None, "proprietaries": {}, "payload": None},
        "inputs": inputs,
        "outputs": [{"amount": 10**8, "scriptPublicKey": spk,
                     "redeemScript": None, "bip32Derivations": {},
                     "proprietaries": {}}],
    }


def p2sh(redeem):
    return "0000aa20" + hashlib.blake2b(redeem, digest_size=32).hexdigest() + \
        "87"


def ecdsa():
    secrets = [int.from_bytes(os.urandom(32), "big") % bip340.N
               for _ in range(3)]
    keys = [bip340.pubkey(s.to_bytes(32, "big")) for s in secrets]
    redeem = b"\x52" + b"".join(b"\x21" + k for k in keys) + b"\x53\xa9"
    doc = make_doc([make_input(None, "000021" + keys[0].hex() + "ab", 1),
                    make_input(redeem, p2sh(redeem), 3)], p2sh(redeem))
    for n, signers in (0, [0]), (1, [0, 2]):
        for i in signers:
            der = ecdsa_sign(secrets[i], ecdsa_digest(doc, n))
            doc["inputs"][n]["partialSigs"][keys[i].hex()] = {
                "eCDSA": der.hex()}
    return doc


def heavy(n, keys, payload=0):
    xonly = []
    while len(xonly) < keys:
        x = os.urandom(32)
        if bip340.lift_x(int.from_bytes(x, "big")):
            xonly.append(x)
    redeem = bytes([0x50 + keys]) + b"".join(b"\x20" + x for x in xonly) + \
        bytes([0x50 + keys, 0xae])
    inputs = [make_input(redeem, p2sh(redeem), keys) for _ in range(n)]
    for i in inputs:
        i["partialSigs"] = {"02" + x.hex(): {"schnorr": "00" + "11" * 63}
                            for x in xonly}
    doc = make_doc(inputs, p2sh(redeem))
    if payload:
        doc["global"].update(version=1, payload="00" * payload)
    return doc


def together(n, path, address):
    with open(path, "rb") as f:
        body = f.read()
    # A request has ten seconds to come: a busy machine may be late with all.
    for tries in range(10):
        try:
            status = answers_together(n, body, address)
            if set(status) <= {"200", "429"}:
                break
        except OSError:
            if tries == 9:
                raise
    print(*["%d %s" % (status.count(x), x) for x in sorted(set(status))])


def answers_together(n, body, address):
    head = b"POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    sockets = []
    for _ in range(n):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(60)
        s.connect(address)
        s.sendall(head % len(body) + body[:-1])
        sockets.append(s)
    for s in sockets:
        s.sendall(body[-1:])
    return [s.recv(12)[9:].decode() for s in sockets]


def frame(doc):
    text = json.dumps(doc, separators=(",", ":"))
    return "PSKT" + text.encode().hex()


def main(argv):
    if len(argv) == 4 and argv[1] == "run":
        with open(argv[2]) as f, open(argv[3]) as g:
            try:
                print(run(json.load(f), json.load(g)))
            except Invalid as e:
                sys.exit("not valid: %s" % e)
    elif len(argv) == 3 and argv[1] == "signed":
        signed(argv[2])
    elif len(argv) == 4 and argv[1] == "each":
        each(argv[2], argv[3])
    elif len(argv) in (4, 5) and argv[1] == "heavy":
        json.dump(heavy(*map(int, argv[2:])), sys.stdout,
                  separators=(",", ":"))
    elif len(argv) == 2 and argv[1] == "ecdsa":
        json.dump(ecdsa(), sys.stdout)
    elif len(argv) == 5 and argv[1] == "together":
        together(int(argv[2]), argv[3], argv[4])
    elif len(argv) == 4 and argv[1] == "edit":
        d = json.loads(bytes.fromhex(argv[2][4:]))
        exec(argv[3], {"d": d})
        print(frame(d))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
