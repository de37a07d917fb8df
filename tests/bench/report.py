#!/usr/bin/env python3
"""Makes the table of tests/bench/run.sh from "name value" lines.

usage: report.py SAMPLES

Times in the file are microseconds, sizes KiB; the median counts.
"""
import statistics
import sys


def read(path):
    samples = {}
    with open(path, encoding="ascii") as f:
        for line in f:
            if line.strip():
                name, value = line.split()
                samples.setdefault(name, []).append(float(value))
    return {name: statistics.median(v) for name, v in samples.items()}


def time(us):
    if us >= 1e5:
        return f"{us / 1e6:.2f} s"
    if us >= 1e3:
        return f"{us / 1e3:.2f} ms"
    return f"{us:.1f} µs"


def row(what, value, ratio="", to=""):
    print(f"| {what} | {value} | {ratio} | {to} |")


def bounds(m):
    row("libsecp256k1, Schnorr sign", time(m["sign"]))
    row("sign + verify", time(m["sign_verify"]))
    row("append + fdatasync", time(m["append_sync"]))
    row("**bound of one signature**: sign + verify + sync",
        time(m["sign_verify"] + m["append_sync"]))


def requests(m):
    bound = m["sign_verify"] + m["append_sync"]
    core = 1e6 / m["sign_verify"]
    for p in ("p50", "p99"):
        v = m["one_" + p]
        row(f"pskt.sign, 1 input, {p}", time(v), f"{v / bound:.2f}",
            "the bound" + (" (aim: ≤ 2)" if p == "p50" else ""))
    for n in (1, 4, 16):
        v = m[f"many{n}_rate"]
        row(f"64 inputs, {n} connection{'s' if n > 1 else ''}",
            f"{v:,.0f} signatures/s", f"{v / core:.2f}",
            f"sign + verify on one core, {core:,.0f}/s (aim: ≥ 0.6)")


def growth(m):
    less = None
    for n in (10, 100, 1000):
        v = m[f"in{n}_p50"]
        row(f"pskt.sign, {n:,} inputs, p50", time(v),
            f"{v / less:.1f}" if less else "",
            f"{n // 10} inputs (linear: ≤ 10)" if less else "")
        less = v
    for n in (10, 100, 1000):
        row(f"of which sighashes, {n:,} inputs", time(m[f"sighash_{n}"]))


def rest(m):
    row("igractl unlock", time(m["unlock"]),
        f"{m['unlock'] / m['argon2']:.2f}",
        f"Argon2id, 64 MiB × 3: {time(m['argon2'])}")
    row("secrets file of 1 MiB, decrypted and checked",
        time(m["isec_open_1mib"]))
    for d in ("keyd", "signd", "auditd"):
        if "rss_" + d in m:
            row(f"igra-{d}, resident", f"{m['rss_' + d] / 1024:.1f} MiB",
                "", f"{m['idle_' + d] / 1024:.1f} MiB before the first "
                f"request, at most {m['hwm_' + d] / 1024:.1f} MiB")


def main():
    m = read(sys.argv[1])
    print("| what | median | ratio | to |")
    print("|---|---|---|---|")
    bounds(m)
    requests(m)
    growth(m)
    rest(m)


main()
