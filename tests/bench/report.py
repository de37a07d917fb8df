#!/usr/bin/env python3
"""Makes the table of tests/bench/run.sh from "name value" lines.

usage: report.py SAMPLES

Times in the file are microseconds, sizes KiB.  "round N" begins a round: what
comes before the first is kept apart.  A figure is the median of all rounds, a
ratio the median of each round's own, so that a moment in which the machine
was slow for both does not count.
"""
import os
import statistics
import sys


class Samples:
    def __init__(self, path):
        self.rounds = [{}]
        with open(path, encoding="ascii") as f:
            for line in filter(str.strip, f):
                name, value = line.split()
                if name == "round":
                    self.rounds.append({})
                else:
                    self.rounds[-1].setdefault(name, []).append(float(value))

    def __contains__(self, name):
        return any(name in r for r in self.rounds)

    def __getitem__(self, name):
        """Median over everything but the warm-up."""
        rounds = self.rounds[1:] if any(
            name in r for r in self.rounds[1:]) else self.rounds
        return statistics.median(
            v for r in rounds for v in r.get(name, []))

    def each(self, function):
        """Median over the rounds of function(medians of one round)."""
        return statistics.median(
            function({n: statistics.median(v) for n, v in r.items()})
            for r in self.rounds[1:])


def bound(m):
    return m["sign_verify"] + m["append_sync"]


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
        time(m.each(bound)))


def requests(m):
    core = 1e6 / m["sign_verify"]
    for p in ("p50", "p99"):
        name = "one_" + p
        ratio = m.each(lambda r, n=name: r[n] / bound(r))
        row(f"pskt.sign, 1 input, {p}", time(m[name]), f"{ratio:.2f}",
            "the bound" + (" (aim: ≤ 2)" if p == "p50" else ""))
    for n in (1, 4, 16):
        name = f"many{n}_rate"
        ratio = m.each(lambda r, n=name: r[n] * r["sign_verify"] / 1e6)
        row(f"64 inputs, {n} connection{'s' if n > 1 else ''}",
            f"{m[name]:,.0f} signatures/s", f"{ratio:.2f}",
            f"sign + verify on one core, {core:,.0f}/s (aim: ≥ 0.6)")


def growth(m):
    less = None
    for n in (10, 100, 1000):
        name = f"in{n}_p50"
        ratio = less and m.each(lambda r, n=name, o=less: r[n] / r[o])
        row(f"pskt.sign, {n:,} inputs, p50", time(m[name]),
            f"{ratio:.1f}" if less else "",
            f"{n // 10} inputs (linear: ≤ 10)" if less else "")
        less = name
    for n in (10, 100, 1000):
        row(f"of which sighashes, {n:,} inputs", time(m[f"sighash_{n}"]))


def life(m):
    """200 signatures each."""
    for name in ("inspect", "finalize", "extract"):
        p50 = name + "_p50"
        ratio = m.each(lambda r, n=p50: r[n] / (
            200 * (r["sign_verify"] - r["sign"])))
        row(f"pskt.{name}, 100 inputs of 2 signatures, p50", time(m[p50]),
            f"{ratio:.2f}", "200 × Schnorr verify (sign + verify − sign)")
    row("pskt.combine, two of 100 inputs, p50", time(m["combine_p50"]))


def audit(m):
    row("pskt.sign, 1 input: waiting for its records, mean",
        time(m["record_wait"]),
        f"{m.each(lambda r: r['record_wait'] / r['one_mean']):.2f}",
        f"mean of the same requests, {time(m['one_mean'])}")
    for n in (1, 16, 64):
        name = f"durable_{n}"
        ratio = m.each(lambda r, n=name: r[n] / r["durable_bare"])
        row(f"audit log, {n} producer{'s' if n > 1 else ''}",
            f"{m[name]:,.0f} records/s", f"{ratio:.2f}",
            f"append + fdatasync alone, {m['durable_bare']:,.0f}/s")
    row("igra-audit verify", f"{m['verify']:,.0f} MiB/s",
        f"{m.each(lambda r: r['verify_ratio']):.2f}",
        f"BLAKE2b of the same bytes, {m['verify_bare']:,.0f} MiB/s "
        "(aim: ≥ 0.7)")


def policy(m):
    what = "10,000 destinations and a million outpoints"
    for p in ("p50", "p99"):
        row(f"policy decision, 1 input, {what}, {p}", time(m["policy_" + p]),
            f"{m['policy_' + p] / bound(m):.3f}",
            "what bounds a signature")
    row(f"policy decision, 100 inputs, {what}, p50", time(m["policy100_p50"]))
    row("policy journal, a million outpoints",
        f"{m['policy_memory'] / 1024:.0f} MiB")
    row("the same, from its file at keyd's start",
        f"{m['journal_memory'] / 1024:.0f} MiB")
    row(f"reading that file ({m['journal_file'] / 1024:.0f} MiB)",
        time(m["journal_load"]))
    row("a look there: known, claim, volumes, p99",
        time(m["journal_look_p99"]))
    row("a reservation", time(m["journal_reserve"]))


def rest(m):
    row("igractl unlock", time(m["unlock"]),
        f"{m.each(lambda r: r['unlock'] / r['argon2']):.2f}",
        f"Argon2id, 64 MiB × 3: {time(m['argon2'])}")
    row("secrets file of 1 MiB, decrypted and checked",
        time(m["isec_open_1mib"]))
    for d in ("keyd", "signd", "auditd"):
        if "rss_" + d in m:
            row(f"igra-{d}, resident", f"{m['rss_' + d] / 1024:.1f} MiB",
                "", f"{m['idle_' + d] / 1024:.1f} MiB before the first "
                f"request, at most {m['hwm_' + d] / 1024:.1f} MiB")


def main():
    m = Samples(sys.argv[1])
    print("| what | median | ratio | to |")
    print("|---|---|---|---|")
    bounds(m)
    requests(m)
    growth(m)
    life(m)
    audit(m)
    policy(m)
    rest(m)
    load = ", ".join(f"{v:.1f}" for v in os.getloadavg()[:2])
    print(f"\n{len(m.rounds) - 1} rounds, {os.cpu_count()} cores; load average "
          f"at the end, of 1 and 5 minutes: {load}")


main()
