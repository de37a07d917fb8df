#!/usr/bin/env python3
"""Verifies an audit log on its own: JSON, order of members, seq and prev over
all its files, and the signatures of its checkpoints.

usage: verify_chain.py [-1] LOG [FILE-OF-ACKS]

A file of acks has one "kseq seq head" a line ("-" for any kseq); each must be
in the log.
-1: more than one series of checkpoints is an error.
Prints "C checkpoints (S series) up to seq N; N lines, seq M, kseq K" and exits
0, or says what is wrong and exits 1.
"""
import glob
import hashlib
import json
import os
import re
import sys

import ed25519

HEAD = ["seq", "prev", "timestamp", "event_type", "source", "request_id",
        "result"]
SEALED = ["origin", "key", "covered_seq", "head", "time", "next_key",
          "signature"]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z\Z")
CLOSED = re.compile(r"\.\d{8}T\d{6}Z\.(\d{12,})\.log\Z")


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


class Series:
    """The keys of the checkpoints."""

    def __init__(self):
        self.origin = self.next = None
        self.count = self.series = self.covered = 0

    def add(self, n, record):
        if list(record)[len(HEAD):] != SEALED:
            fail(f"line {n}: a Checkpoint has {list(record)}")
        c = {k: str(record[k]) for k in SEALED}
        if c["covered_seq"] != str(record["seq"] - 1) or \
                c["head"] != record["prev"] or \
                c["time"] != record["timestamp"]:
            fail(f"line {n}: a Checkpoint of another place")
        text = "igra-audit-checkpoint-v1\n" + "".join(
            c[k] + "\n" for k in ("origin", "covered_seq", "head", "time",
                                  "next_key"))
        if not ed25519.verify(bytes.fromhex(c["key"]), text.encode(),
                              bytes.fromhex(c["signature"])):
            fail(f"line {n}: the signature is wrong")
        if (c["origin"], c["key"]) != (self.origin, self.next):
            if c["key"] != c["origin"]:
                fail(f"line {n}: a key that was not announced")
            self.series += 1
        self.origin, self.next = c["origin"], c["next_key"]
        self.count += 1
        self.covered = record["seq"] - 1


def files(log):
    stem = log[:-4] if log.endswith(".log") else log
    closed = sorted(f for f in glob.glob(glob.escape(stem) + ".*.log")
                    if CLOSED.match(f[len(stem):]))
    for f in closed:
        if os.stat(f).st_mode & 0o7777 != 0o400:
            fail(f"{f}: mode is not 0400")
    return closed + ([log] if os.path.exists(log) else [])


def check_first(f, record, last, kseq, reserved):
    """The first line of a file that follows another."""
    if record["event_type"] != "SecurityAlert":
        if last["event_type"] != "Checkpoint":
            fail(f"{f}: follows a file that ends in {last['event_type']}")
        if record["event_type"] != "LogRotated":
            fail(f"{f}: begins with {record['event_type']}")
    if record.get("last_kseq", 0) != kseq:
        fail(f"{f}: last_kseq is not {kseq}")
    if record.get("reservation", 0) != reserved:
        fail(f"{f}: reservation is not {reserved}")


def main():
    one = sys.argv[1] == "-1"
    args = sys.argv[2 if one else 1:]
    seq, prev, kseq, reserved, heads, n = 0, "0" * 64, 0, 0, {}, 0
    series, record = Series(), None
    for f in files(args[0]):
        with open(f, "rb") as file:
            data = file.read()
        if data and not data.endswith(b"\n"):
            fail(f"{f}: the last line has no newline")
        for i, line in enumerate(data.split(b"\n")[:-1]):
            n += 1
            line += b"\n"
            last, record = record, check_line(n, line, seq, prev)
            if i == 0 and last:
                check_first(f, record, last, kseq, reserved)
            seq = record["seq"]
            prev = hashlib.blake2b(line, digest_size=32).hexdigest()
            if "kseq" in record:
                if record["kseq"] <= kseq:
                    fail(f"line {n}: kseq {record['kseq']} after {kseq}")
                kseq = record["kseq"]
            reserved = max(reserved, record.get("reservation", 0))
            if record["event_type"] == "Checkpoint":
                series.add(n, record)
            heads[seq] = (prev, record.get("kseq"))
    if one and series.series > 1:
        fail(f"{series.series} series of checkpoints")
    if len(args) > 1:
        with open(args[1], encoding="ascii") as f:
            for ack in f:
                want_kseq, want_seq, want_head = ack.split()
                head, kseq_there = heads.get(int(want_seq), (None, None))
                if head != want_head or \
                        want_kseq not in ("-", str(kseq_there)):
                    fail(f"acknowledged, but not in the log: {ack.strip()}")
    print(f"{series.count} checkpoints ({series.series} series) up to seq "
          f"{series.covered}; {n} lines, seq {seq}, kseq {kseq}")


main()
