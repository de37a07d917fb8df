#!/usr/bin/env python3
"""Verifies an audit log on its own: JSON, order of members, seq and prev.

usage: verify_chain.py LOG [FILE-OF-ACKS]

A file of acks has one "kseq seq head" a line; each must be in the log.
Prints "N lines, seq M, kseq K" and exits 0, or says what is wrong and exits 1.
"""
import hashlib
import json
import re
import sys

HEAD = ["seq", "prev", "timestamp", "event_type", "source", "request_id",
        "result"]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z\Z")


def fail(text):
    print(text)
    sys.exit(1)


def unique(pairs):
    names = [k for k, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError("duplicate member")
    return dict(pairs)


def check_line(n, line, seq, prev):
    try:
        record = json.loads(line.decode("utf-8"), object_pairs_hook=unique)
    except ValueError as e:
        fail(f"line {n}: {e}")
    if list(record)[:len(HEAD)] != HEAD:
        fail(f"line {n}: starts with {list(record)[:len(HEAD)]}")
    if record["seq"] != seq + 1:
        fail(f"line {n}: seq {record['seq']} after {seq}")
    if record["prev"] != prev:
        fail(f"line {n}: prev does not match")
    if not TIME.match(record["timestamp"]):
        fail(f"line {n}: timestamp {record['timestamp']}")
    if record["result"] not in ("Success", "Failure"):
        fail(f"line {n}: result {record['result']}")
    if (record["result"] == "Failure") != ("error" in record):
        fail(f"line {n}: error and result disagree")
    if len(line) > 256 * 1024:
        fail(f"line {n}: {len(line)} bytes")
    return record


def main():
    with open(sys.argv[1], "rb") as f:
        data = f.read()
    if data and not data.endswith(b"\n"):
        fail("the last line has no newline")
    seq, prev, kseq, heads = 0, "0" * 64, 0, {}
    for n, line in enumerate(data.split(b"\n")[:-1], 1):
        line += b"\n"
        record = check_line(n, line, seq, prev)
        seq = record["seq"]
        prev = hashlib.blake2b(line, digest_size=32).hexdigest()
        if "kseq" in record:
            if record["kseq"] <= kseq:
                fail(f"line {n}: kseq {record['kseq']} after {kseq}")
            kseq = record["kseq"]
        heads[seq] = (prev, record.get("kseq"))
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="ascii") as f:
            for ack in f:
                want_kseq, want_seq, want_head = ack.split()
                if heads.get(int(want_seq)) != (want_head, int(want_kseq)):
                    fail(f"acknowledged, but not in the log: {ack.strip()}")
    print(f"{n if data else 0} lines, seq {seq}, kseq {kseq}")


main()
