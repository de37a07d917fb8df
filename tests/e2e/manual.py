"""What manual.sh needs besides a shell.

manual.py commands PAGE SECTION [BLOCK…]
    The commands of a section of a manual page, as a shell script: in its
    literal blocks, a line that begins with "# " and what follows it.  BLOCK
    chooses some by number (0 is the first with commands).
manual.py count PAGE SECTION
    How many blocks of commands a section has.
manual.py examples PAGE
    The literal blocks of EXAMPLES, one after another.
manual.py tty ANSWERS COMMAND…
    Runs a command on a terminal of its own and types what is asked for.
    ANSWERS is a file of lines "prompt<TAB>answer", a regular expression each,
    looked at from the first to the last.  A third column is another line's
    prompt: from then on it gets this answer, too.
manual.py request REDEEM_HEX PAYTO NUMBER [REASON] >REQUEST
    A pskt.sign request: one input of the script, PAYTO (a script in hex) and
    change, or with PAYTO=all:SCRIPT one output.
manual.py verify REQUEST ANSWER XONLY
    Exit 0 if the answer has a valid signature of that key for the request's
    transaction.
"""
import hashlib
import json
import os
import pty
import re
import select
import struct
import sys

import bip340

ESCAPES = {r"\e": "\\", r"\(dq": '"', r"\&": "", r"\-": "-"}


def unescape(line):
    def one(m):
        if m.group(0) not in ESCAPES:
            sys.exit("what is %s in: %s" % (m.group(0), line))
        return ESCAPES[m.group(0)]
    return re.sub(r"\\(\(..|.)", one, line)


def literal_blocks(page, section):
    """Lists of lines, of .Bd -literal blocks and .Dl lines."""
    here, block = False, None
    for line in open(page, encoding="utf-8"):
        line = line.rstrip("\n")
        if block is not None:
            if line == ".Ed":
                yield block
                block = None
            else:
                block.append(unescape(line))
        elif line.startswith(".Sh "):
            here = line[4:].strip('"') == section
        elif here and line.startswith(".Bd -literal"):
            block = []
        elif here and line.startswith(".Dl "):
            yield [unescape(line[4:])]


def command_blocks(page, section):
    blocks = [b for b in literal_blocks(page, section)
              if b and b[0].startswith("# ")]
    if not blocks:
        sys.exit("%s: no commands in %s" % (page, section))
    return blocks


def commands(page, section, wanted):
    for i, block in enumerate(command_blocks(page, section)):
        if wanted and str(i) not in wanted:
            continue
        for line in block:
            print(line[2:] if line.startswith("# ") else line)


def tty(answers, argv):
    rules = []
    for line in open(answers, encoding="utf-8"):
        rules.append((line.rstrip("\n") + "\t").split("\t")[:3])
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    shown = seen = b""
    while True:
        if not select.select([fd], [], [], 60)[0]:
            os.kill(pid, 9)
            print("nothing happened for a minute")
            break
        try:
            got = os.read(fd, 4096)
        except OSError:
            got = b""
        if not got:
            break
        shown += got
        seen += got
        last = seen.rsplit(b"\n", 1)[-1]
        # A prompt is a line's end without its newline.
        if not last.endswith(b": "):
            continue
        for prompt, answer, other in rules:
            if re.search(prompt, last.decode()):
                os.write(fd, answer.encode() + b"\n")
                seen = b""
                for r in rules:
                    if other and r[0] == other:
                        r[1] = answer
                break
    status = os.waitpid(pid, 0)[1]
    shown = re.sub(rb"\x1b\[[0-9;]*m", b"", shown)     # jq's colours
    sys.stdout.buffer.write(shown.replace(b"\r\n", b"\n"))
    sys.exit(os.waitstatus_to_exitcode(status) & 255)


# --- transactions ---

AMOUNT = 500_000_000


def p2sh(redeem):
    return "aa20" + hashlib.blake2b(redeem, digest_size=32).hexdigest() + "87"


def output(amount, script):
    return {"amount": amount, "scriptPublicKey": "0000" + script,
            "redeemScript": None, "bip32Derivations": {}, "proprietaries": {}}


def request(redeem_hex, payto, number, reason):
    redeem = bytes.fromhex(redeem_hex)
    own = p2sh(redeem)
    if payto.startswith("all:"):
        outputs = [output(AMOUNT - 500_000, payto[4:])]
    else:
        outputs = [output(100_000_000, payto),
                   output(AMOUNT - 100_000_000 - 500_000, own)]
    txid = hashlib.sha256(b"manual " + number.encode()).hexdigest()
    params = {"pskt": {
        "global": {
            "version": 0, "txVersion": 0, "fallbackLockTime": None,
            "inputsModifiable": False, "outputsModifiable": False,
            "inputCount": 1, "outputCount": len(outputs), "xpubs": {},
            "id": None, "proprietaries": {}, "payload": None},
        "inputs": [{
            "utxoEntry": {
                "amount": AMOUNT, "scriptPublicKey": "0000" + own,
                "blockDaaScore": 36151168, "isCoinbase": False},
            "previousOutpoint": {"transactionId": txid, "index": 0},
            "sequence": 0, "minTime": None, "partialSigs": {},
            "sighashType": 1, "redeemScript": redeem_hex,
            "sigOpCount": redeem[-2] - 0x50, "bip32Derivations": {},
            "finalScriptSig": None, "proprietaries": {}}],
        "outputs": outputs}}
    if reason:
        params["reason"] = reason
    json.dump({"jsonrpc": "2.0", "id": 1, "method": "pskt.sign",
               "params": params}, sys.stdout)


def keyed(data):
    return hashlib.blake2b(data, digest_size=32,
                           key=b"TransactionSigningHash").digest()


def sighash(pskt):
    """Of the one input, version 0, type ALL, written from the rules."""
    i = pskt["inputs"][0]
    outpoint = bytes.fromhex(i["previousOutpoint"]["transactionId"]) + \
        struct.pack("<I", i["previousOutpoint"]["index"])
    spk = bytes.fromhex(i["utxoEntry"]["scriptPublicKey"])
    outs = b""
    for o in pskt["outputs"]:
        s = bytes.fromhex(o["scriptPublicKey"])
        outs += struct.pack("<QHQ", o["amount"], int.from_bytes(s[:2], "big"),
                            len(s) - 2) + s[2:]
    return keyed(
        struct.pack("<H", 0) + keyed(outpoint) +
        keyed(struct.pack("<Q", i["sequence"])) +
        keyed(bytes([i["sigOpCount"]])) + outpoint +
        struct.pack("<HQ", int.from_bytes(spk[:2], "big"), len(spk) - 2) +
        spk[2:] + struct.pack("<QQ", i["utxoEntry"]["amount"], i["sequence"]) +
        bytes([i["sigOpCount"]]) + keyed(outs) + struct.pack("<Q", 0) +
        bytes(20) + struct.pack("<Q", 0) + bytes(32) + bytes([1]))


def verify(request_file, answer_file, xonly):
    pskt = json.load(open(request_file))["params"]["pskt"]
    answer = json.load(open(answer_file))
    if "result" not in answer:
        sys.exit("no result: %s" % answer)
    for s in answer["result"]["signatures"]:
        if s["public_key"] == xonly and bip340.verify(
                bytes.fromhex(xonly), sighash(pskt),
                bytes.fromhex(s["signature"])):
            return
    sys.exit("no valid signature of %s: %s" % (xonly, answer))


def main(argv):
    if argv[:1] == ["commands"] and len(argv) >= 3:
        commands(argv[1], argv[2], argv[3:])
    elif argv[:1] == ["count"] and len(argv) == 3:
        print(len(command_blocks(argv[1], argv[2])))
    elif argv[:1] == ["examples"] and len(argv) == 2:
        for block in literal_blocks(argv[1], "EXAMPLES"):
            print("\n".join(block))
    elif argv[:1] == ["tty"] and len(argv) >= 3:
        tty(argv[1], argv[2:])
    elif argv[:1] == ["request"] and len(argv) in (4, 5):
        request(argv[1], argv[2], argv[3], argv[4] if argv[4:] else None)
    elif argv[:1] == ["verify"] and len(argv) == 4:
        verify(*argv[1:])
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
