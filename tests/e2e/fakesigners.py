#!/usr/bin/env python3
"""Signers that a coordinator must survive.

usage: fakesigners.py DIR REAL SPARE

Listens on DIR/MODE.sock for every mode below until it is ended; DIR/ready
exists when all do.  Where a mode spoils an answer, it is that of the signer
whose socket REAL is.  SPARE is another signer's.
"""
import copy
import json
import os
import socket
import sys
import threading
import time

import rpcclient

REAL, SPARE = sys.argv[2:4]
seen = {}
lock = threading.Lock()


def forward(request, path=None):
    signer = rpcclient.Signer(path or REAL)
    return json.loads(signer.post(json.dumps(request))[1])


def read_request(conn):
    data = b""
    while b"\r\n\r\n" not in data:
        more = conn.recv(65536)
        if not more:
            return None
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        more = conn.recv(65536)
        if not more:
            return None
        body += more
    return json.loads(body)


def http(body, status="200 OK", more=""):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return ("HTTP/1.1 %s\r\nContent-Type: application/json\r\n%s"
            "Content-Length: %d\r\n\r\n" % (status, more, len(body))
            ).encode() + body


def error(request, code, word, message, **data):
    data["code"] = word
    return {"jsonrpc": "2.0", "id": request["id"], "error": {
        "code": code, "message": message, "data": data}}


def flip(text):
    return ("1" if text[0] == "0" else "0") + text[1:]


# --- what to say to pskt.sign, from the answer of the real signer ---

def badsig(answer, request):
    s = answer["result"]["signatures"][-1]
    s["signature"] = s["signature"][:-1] + flip(s["signature"][-1])


def othersig(answer, request):
    """Well signed, but another transaction."""
    other = copy.deepcopy(request)
    other["params"]["pskt"]["outputs"][0]["amount"] -= 1
    for i in other["params"]["pskt"]["inputs"]:
        i["previousOutpoint"]["index"] += 77
    theirs = forward(other)["result"]
    answer["result"]["signatures"] = theirs["signatures"]


def othertx(answer, request):
    answer["result"]["transaction_id"] = flip(
        answer["result"]["transaction_id"])


def foreign(answer, request):
    """A key that is nobody's here (the generator's own)."""
    for s in answer["result"]["signatures"]:
        s["public_key"] = GENERATOR


def thief(answer, request):
    """Says in signer.info that it is the spare one."""


def altered(answer, request):
    answer["result"]["pskt"]["outputs"][0]["amount"] += 1


def amount(answer, request):
    """The same transaction id, another amount of the coin."""
    answer["result"]["pskt"]["inputs"][0]["utxoEntry"]["amount"] += 1


def otherrequest(answer, request):
    answer["result"]["request_id"] = "other"


def otherid(answer, request):
    answer["id"] = 77


def back(answer, request):
    answer["result"]["audit"] = {"seq": 1, "head": "11" * 32}


def fork(answer, request):
    """The sequence number of the first answer again, with another head."""
    audit = answer["result"]["audit"]
    with lock:
        seq = seen.setdefault("fork", audit["seq"])
    if seq != audit["seq"]:
        audit["seq"] = seq
        audit["head"] = flip(audit["head"])


def nohead(answer, request):
    del answer["result"]["audit"]


def none(answer, request):
    answer["result"]["signatures"] = []


def malformed(answer, request):
    answer["result"]["signatures"][0]["signature"] = ["00"] * 64


def index(answer, request):
    answer["result"]["signatures"][0]["input"] = 2**63


def toomany(answer, request):
    answer["result"]["signatures"] *= 100


GENERATOR = \
    "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
SPOILED = [badsig, othersig, othertx, foreign, thief, altered, amount,
           otherrequest, otherid, back, fork, nohead, none, malformed, index,
           toomany]


def spoil(change):
    def serve(conn, request):
        answer = forward(request)
        if request["method"] == "signer.info":
            if change is foreign:
                answer["result"]["public_key"] = GENERATOR
            if change is thief:
                answer = forward(request, SPARE)
        elif "result" in answer:
            change(answer, request)
        conn.sendall(http(answer))
    return serve


# --- and those that know nothing of signing ---

def info_first(serve):
    """signer.info is answered well, what follows is not."""
    def first(conn, request):
        if request["method"] == "signer.info":
            conn.sendall(http(forward(request)))
        else:
            serve(conn, request)
    return first


def slow(conn, request):
    for byte in http(forward(request)):
        conn.sendall(bytes([byte]))
        time.sleep(0.02)


def brisk(conn, request):
    """Byte by byte, but all of it."""
    for byte in http(forward(request)):
        conn.sendall(bytes([byte]))


def hang(conn, request):
    time.sleep(600)


def half(conn, request):
    answer = http(forward(request))
    conn.sendall(answer[:len(answer) // 2])


def closes(conn, request):
    pass


def huge(conn, request):
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n")
    while True:
        conn.sendall(b"[" * 1000000)


def chunks(conn, request):
    conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        conn.sendall(b"80000\r\n" + b" " * 0x80000 + b"\r\n")


def headers(conn, request):
    conn.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        conn.sendall(b"X-More: and more\r\n" * 1000)


def longheader(conn, request):
    conn.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        conn.sendall(b"x" * 100000)


def interim(conn, request):
    while True:
        conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def garbage(conn, request):
    conn.sendall(http(os.urandom(1000)))


def nothttp(conn, request):
    conn.sendall(b"220 mail ready\r\n" * 10)


def deep(conn, request):
    conn.sendall(http(b"[" * 1000000))


def many(conn, request):
    """15 MiB of values."""
    conn.sendall(http(b"[" + b"0," * 7500000 + b"0]"))


def array(conn, request):
    conn.sendall(http([1, 2, 3]))


def both(conn, request):
    conn.sendall(http({"jsonrpc": "2.0", "id": request["id"], "result": {},
                       "error": {}}))


def redirect(conn, request):
    conn.sendall(http(b"", "302 Found", "Location: http://localhost/\r\n"))


def page(conn, request):
    conn.sendall(http(b"<html>", "500 Internal Server Error"))


def locked(conn, request):
    conn.sendall(http(error(request, -32001, "LOCKED", "locked")))


def denied(conn, request):
    conn.sendall(http(error(request, -32002, "POLICY_DENIED",
                            "too much at once", check="max_amount_sompi",
                            limit="1000", value="250000")))


def escapes(conn, request):
    conn.sendall(http(error(request, -32004, "\x1b]0;x\x07",
                            "\x1b[2J\r\nigra-coord: all is well \u202e\x9b",
                            check="\n", limit=" ", value="\x00")))


def limited(conn, request):
    """Twice, then it signs."""
    with lock:
        seen["limited"] = seen.get("limited", 0) + 1
        if seen["limited"] <= 2:
            conn.sendall(http(error(request, -32009, "RATE_LIMITED",
                                    "too many requests"),
                              "429 Too Many Requests", "Retry-After: 1\r\n"))
            return
    conn.sendall(http(forward(request)))


def forever(conn, request):
    """Rate-limited for longer than anybody waits."""
    conn.sendall(http(error(request, -32009, "RATE_LIMITED",
                            "too many requests"), "429 Too Many Requests",
                      "Retry-After: 99999999999999999999\r\n"))


def neverunlocked(conn, request):
    answer = forward(request)
    answer["result"]["public_key"] = None
    conn.sendall(http(answer))


def badkey(conn, request):
    answer = forward(request)
    answer["result"]["public_key"] = "xyz"
    conn.sendall(http(answer))


MODES = {f.__name__: spoil(f) for f in SPOILED}
MODES.update({f.__name__: f for f in [
    slow, brisk, hang, garbage, nothttp, page, limited, neverunlocked,
    badkey]})
MODES.update({f.__name__: info_first(f) for f in [
    half, closes, huge, chunks, headers, longheader, interim, deep, many,
    array, both, redirect, locked, denied, escapes, forever]})


def serve(conn, mode):
    with conn:
        try:
            while True:
                request = read_request(conn)
                if request is None:
                    return
                MODES[mode](conn, request)
                if mode in ("half", "closes", "nothttp", "garbage"):
                    return
        except OSError:
            pass


def accept(listener, mode):
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve, args=(conn, mode),
                         daemon=True).start()


def main():
    for mode in MODES:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("%s/%s.sock" % (sys.argv[1], mode))
        listener.listen(16)
        threading.Thread(target=accept, args=(listener, mode),
                         daemon=True).start()
    # A socket that nobody listens on, and one whose queue is full.
    socket.socket(socket.AF_UNIX).bind(sys.argv[1] + "/dead.sock")
    full = socket.socket(socket.AF_UNIX)
    full.bind(sys.argv[1] + "/full.sock")
    full.listen(0)
    queue = [socket.socket(socket.AF_UNIX) for _ in range(4)]
    for conn in queue:
        conn.setblocking(False)
        try:
            conn.connect(sys.argv[1] + "/full.sock")
        except BlockingIOError:
            pass
    open(sys.argv[1] + "/ready", "w").close()
    threading.Event().wait()


main()
