#!/usr/bin/env python3
"""The policy of igra-keyd against a second one (policy.py).

usage: compare.py DRIVER [DECISIONS [SEED]]

Random configs, documents, bundles, replays, lies, releases, clocks and
reboots; every decision of DRIVER (tests/e2e/policy-driver.c) has to be the
one that policy.py expects, with the figures of every check.
"""
import queue
import random
import subprocess
import sys
import threading

sys.dont_write_bytecode = True

from policy import (CHECKS, DAY, HOUR, OURS, OWN, REDEEMS, SCRIPTS, SECOND,
                    S_OTHER, S_OURS, S_OWN, S_STRANGE, S_TRAP, TYPES, U64,
                    WEEK, Clock, Input, Journal, Tx, decide)

LINES_SHOWN = 40                # of what led to a difference


class Config:
    NUMBERS = ["max_fee_sompi", "max_amount_sompi", "min_amount_sompi",
               "max_lock_time_ahead", "max_per_hour",
               "max_hourly_volume_sompi", "max_daily_volume_sompi",
               "max_weekly_volume_sompi"]
    RANGES = {"max_fee_sompi": (1, 2000), "max_amount_sompi": (1, 20000),
              "min_amount_sompi": (0, 3000),
              "max_lock_time_ahead": (0, 500), "max_per_hour": (1, 20),
              "max_hourly_volume_sompi": (1000, 60000),
              "max_daily_volume_sompi": (3000, 100000),
              "max_weekly_volume_sompi": (5000, 300000)}

    def __init__(self, r):
        self.network = r.choice(["mainnet", "devnet", "devnet", "testnet"])
        self.redeem = self.network == "mainnet" or r.random() < 0.85
        self.often = r.choice([0.1, 0.3, 0.6])
        self.numbers = {}
        for name in Config.NUMBERS:
            if r.random() < self.often:
                low, high = Config.RANGES[name]
                self.numbers[name] = r.randint(low, high)
                if r.random() < 0.03 and "sompi" in name:
                    self.numbers[name] = 29 * 10**17
        self.percent = None
        if r.random() < self.often:
            self.percent = r.choice([
                "0.0", "100.0", "50.0", "%.1f" % (100 * r.random()),
                "%.6f" % (100 * r.random()), "%.9f" % (100 * r.random()),
                "0.000001", "0.29", "33.333333", "14.285714", "9.999999999"])
        self.require_reason = r.random() < 0.15
        self.allow_replacement = r.random() < 0.3
        self.types = {"all"}
        if r.random() < 0.5:
            self.types = set(r.sample(list(TYPES.values()), r.randint(1, 6)))
        self.destinations = []
        if r.random() < self.often / 2:
            self.destinations = r.sample(
                [n for n, s in enumerate(SCRIPTS) if s[1]], r.randint(1, 6))
        self.max_outpoints = r.choice([10**6] * 6 + [20, 60, 200])

    def get(self, name):
        return self.numbers.get(name)

    def toml(self):
        out = ["[service]", 'network = "%s"' % self.network,
               'active_profile = "signer-01"']
        if self.redeem:
            out += ["[service.pskt]",
                    'redeem_script_hex = "%s"' % OWN.hex()]
        out += ["[policy]"] + ["%s = %d" % x for x in self.numbers.items()]
        if self.percent is not None:
            out.append("max_fee_percent = " + self.percent)
        if self.require_reason:
            out.append("require_reason = true")
        if self.allow_replacement:
            out.append("allow_replacement = true")
        if self.types != {"all"}:
            out.append("allowed_sighash_types = [%s]" % ", ".join(
                '"%s"' % t for t in sorted(self.types)))
        if self.destinations:
            out.append("allowed_destinations = [%s]" % ", ".join(
                '"%04x%s"' % (SCRIPTS[n][0], SCRIPTS[n][1].hex())
                for n in self.destinations))
        return out


class Player:
    """Makes up what happens next, and tells driver and model alike."""

    def __init__(self, r, send, expect):
        self.r, self.send, self.expect = r, send, expect
        self.boot, self.wall = 5 * SECOND, 1700000000 * SECOND
        self.begin()

    def begin(self):
        self.send("journal %d %d" % (self.boot, self.wall))
        self.clock = Clock(self.boot, self.wall)
        self.journal = Journal(self.clock)
        self.recent = []
        self.next_txid = 1
        self.configure()

    def configure(self):
        self.config = Config(self.r)
        lines = self.config.toml()
        self.send("config %d %d" % (len(lines), self.config.max_outpoints),
                  *lines)

    # Clocks.

    def pass_time(self):
        r, j = self.r, self.journal
        ns = r.choice([1, SECOND, 60 * SECOND, r.randint(0, 700 * SECOND),
                       r.randint(0, HOUR), r.randint(0, DAY) // 4])
        if j.times and not self.clock.pending and r.random() < 0.5:
            # To where something leaves a window, and just before and after.
            at = r.choice(j.times[-50:]) + r.choice([HOUR, DAY, WEEK]) + \
                r.choice([-1, 0, 1])
            if at > self.clock.policy and r.random() < 0.7:
                ns = at - self.clock.policy
        self.boot += ns
        self.wall += ns
        if r.random() < 0.04:
            self.wall += r.choice([-1, 1]) * r.choice(
                [SECOND, 299 * SECOND, 300 * SECOND, 300 * SECOND + 1,
                 3 * HOUR, WEEK])
        self.send("time %d %d" % (self.boot, self.wall))
        self.look(False)

    def look(self, rebooted):
        self.clock.look(self.boot, self.wall, rebooted,
                        bool(self.journal.known))

    def reboot(self):
        if self.clock.pending == "step":
            return
        self.boot = self.r.randint(0, 100) * SECOND
        self.wall += self.r.choice([0, 1, 50, 4000, 90000, -100]) * SECOND
        self.send("reboot %d %d" % (self.boot, self.wall))
        self.look(True)

    def accept(self):
        self.send("accept")
        self.clock.accept()

    def release(self):
        if not self.journal.claims:
            return
        txid, index = self.r.choice(list(self.journal.claims))
        self.send("release %d %d" % (txid, index))
        del self.journal.claims[(txid, index)]

    # Documents.

    def make_input(self):
        r, i = self.r, Input()
        if r.random() < 0.25 and self.next_txid > 20:
            i.txid = self.next_txid - r.randint(1, 20)
        else:
            i.txid = self.next_txid
            self.next_txid += 1
        i.index = 0 if r.random() < 0.9 else r.randint(0, 2)
        i.sequence = r.choice([0, 0, 0, U64, U64, 5])
        i.sigops = r.choice([3, 3, 3, 0])
        i.type = 1
        if r.random() < 0.12:
            i.type = r.choice([2, 4, 0x81, 0x82, 0x84])
        elif r.random() < 0.01:
            i.type = r.choice([0, 3, 5, 0x55, 0x80])
        i.has_utxo = r.random() < 0.98
        i.amount = r.choice([1000, 2000, 5000, r.randint(0, 9000)])
        if r.random() < 0.01:
            i.amount = r.choice([U64, 2**63, U64 - 1000])
        i.score = r.choice([1000, 1500, 0, 7000])
        ours = S_OWN if self.config.redeem else S_OURS
        if r.random() < 0.94:
            i.script = ours
            i.redeem = r.choice([0, 1]) if ours == S_OWN else 0
        else:
            i.script = r.randrange(len(SCRIPTS))
            i.redeem = {S_TRAP: 2, S_STRANGE: 3}.get(i.script, 0)
        if r.random() < 0.01:
            i.redeem = r.randrange(len(REDEEMS))
        return i

    def make_tx(self):
        r = self.r
        inputs = [self.make_input() for _ in range(r.choice([1, 1, 1, 2, 3]))]
        left = sum(i.amount for i in inputs if i.has_utxo) - \
            r.choice([0, 1, 10, 100, 500, 1500])
        ours = S_OWN if self.config.redeem else S_OURS
        outputs = []
        for n in range(r.choice([1, 2, 2, 2, 3])):
            value = min(U64, max(0, r.choice([
                left, left // 2, left // 10, left - r.randint(0, 20)])))
            if r.random() < 0.005:
                value = r.choice([U64, 2**63])
            script = ours if n == 1 and r.random() < 0.9 else r.choice(
                [S_OTHER, S_OTHER, 10, 11, r.randrange(len(SCRIPTS))])
            outputs.append([value, script, 0])
            left -= value
        tx = Tx(0, 0, inputs, outputs)
        if r.random() < 0.1:
            tx.version = r.choice([1, 1, 1, 1, 1, 2])
        if r.random() < (0.4 if tx.version == 1 else 0.01):
            r.choice(outputs)[2] = 1
        if r.random() < 0.15:
            # Just what is allowed, and one more or less.
            most = self.config.get("max_lock_time_ahead") or 0
            edge = r.choice([-1, 0, 1])
            tx.lock_time = r.choice([
                1, r.randint(0, 60000), 499999999999, 500000000000,
                max(0, inputs[0].score + 10 * most + edge),
                self.wall // 10**6 + 1000 * most + edge,
                self.wall // 10**6 + r.randint(-10, 6000 * 1000), U64])
        if r.random() < 0.01:
            tx.outputs = []
        return tx

    def change(self, tx):
        """Nearly what has been there before: another id, or a lie."""
        r, tx = self.r, tx.copy()
        i = r.choice(tx.inputs)
        what = r.randrange(11)
        if what == 0:
            i.amount = min(U64, max(0, i.amount + r.choice([-1, 1, 1000])))
        elif what == 1:
            i.sequence = r.choice([0, 1, U64])
        elif what == 2:
            i.sigops = r.choice([0, 1, 2, 3])
        elif what == 3:
            i.type = r.choice(list(TYPES))
        elif what == 4 and tx.outputs:
            o = r.choice(tx.outputs)
            o[0] = max(0, o[0] - r.choice([1, 50]))
        elif what == 5:
            tx.lock_time = min(U64, tx.lock_time + 1)
        elif what == 6:
            tx.inputs.append(self.make_input())
        elif what == 7:
            i.script = r.choice([S_OWN, S_OURS, S_OTHER, 2])
            i.redeem = 0
        elif what == 8 and len(tx.inputs) > 1:
            tx.inputs.pop()
        elif what == 9:
            i.has_utxo = not i.has_utxo
            i.redeem = 0
        elif what == 10 and len(tx.inputs) > 1:
            # Ours made out to be another's, and another one ours.
            j = r.choice(tx.inputs)
            i.script, j.script = S_OTHER, r.choice([S_OWN, S_OURS])
            i.redeem = j.redeem = 0
        return tx

    def some_tx(self):
        r = self.r
        if self.recent and r.random() < 0.35:
            tx = r.choice(self.recent)
            return tx.copy() if r.random() < 0.4 else self.change(tx)
        return self.make_tx()

    def request(self):
        r = self.r
        txs = [self.some_tx() for _ in range(
            1 if r.random() < 0.7 else r.randint(2, 4))]
        check = r.random() < 0.35
        has_reason = r.random() < 0.7
        self.send("%s %d %d" % ("check" if check else "sign", has_reason,
                                len(txs)), *[x for t in txs
                                             for x in t.lines()])
        refused, decisions = decide(self.config, self.journal, txs,
                                    has_reason, check)
        self.expect(refused, [d.text(check) for d in decisions])
        if refused == len(txs) or r.random() < 0.1:
            self.recent.append(r.choice(txs))
            del self.recent[:-40]
        return len(decisions)

    def turn(self):
        r = self.r
        p = r.random()
        if p < 0.25:
            self.pass_time()
        elif p < 0.27:
            self.release()
        elif p < 0.275:
            self.reboot()
        elif p < 0.30:
            self.configure()
        elif p < 0.31 or (self.clock.pending and p < 0.36):
            self.accept()
        elif p < 0.3103:
            self.begin()
        else:
            return self.request()
        return 0


def same(expected, got):
    """got: one decision of the driver's answer, in words."""
    words = []
    for w in expected:
        words += w.split() if isinstance(w, str) else [w]
    if len(words) != len(got):
        return False
    for want, is_ in zip(words, got):
        if isinstance(want, str):
            if want != is_:
                return False
        elif len(want) == 3:
            parts = is_.split("|")
            if parts[0] != want[0] or any(
                    w is not None and w != g
                    for w, g in zip(want[1:], parts[1:])):
                return False
        elif is_[0] != want[0] or (want[1] is not None and
                                   want[1] != is_[1:]):
            return False
    return True


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    decisions = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else \
        random.SystemRandom().getrandbits(32)
    r = random.Random(seed)
    p = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
    # An answer that is wanted goes in before its question is asked.
    wanted = queue.Queue(maxsize=20000)
    wrong, seen, codes = [], [0], {}
    log = []                    # commands since the last empty journal

    def read():
        for n, line in enumerate(p.stdout):
            refused, expected, question = wanted.get()
            head, _, tail = line.rstrip("\n").partition(" ")
            parts = [x.split() for x in tail.split(";") if x.strip()]
            ok = head == str(refused) and len(parts) == len(expected) and \
                all(same(e, g) for e, g in zip(expected, parts))
            for g in parts:
                codes[g[0]] = codes.get(g[0], 0) + 1
                first = g[1].split("|")[0]
                fails = [CHECKS[n] for n, row in enumerate(g[-len(CHECKS):])
                         if row[0] == "!"] or [first]
                for name in fails:
                    codes[name] = codes.get(name, 0) + 1
            seen[0] += len(parts)
            if not ok and len(wrong) < 3:
                wrong.append((question, refused, expected, line))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    pending = []

    def send(*lines):
        if lines[0].startswith("journal"):
            log.clear()
        log.extend(lines)
        pending.extend(lines)

    def expect(refused, expected):
        wanted.put((refused, expected, log[-LINES_SHOWN:]))
        p.stdin.write("\n".join(pending) + "\n")
        pending.clear()

    send("key " + OURS.hex(),
         *["script %d %d %s" % (n, v, s.hex() or "-")
           for n, (v, s) in enumerate(SCRIPTS)],
         *["redeem %d %s" % (n, s.hex() or "-")
           for n, s in enumerate(REDEEMS)])
    player = Player(r, send, expect)
    made = 0
    while made < decisions and not wrong and p.poll() is None:
        made += player.turn()
    p.stdin.close()
    status = p.wait()
    reader.join()
    for question, refused, expected, line in wrong[:1]:
        print("DIFFERENT (seed %d)\n%s\nwant: %s %s\ngot:  %s" % (
            seed, "\n".join(question), refused, expected, line))
    print("%d decisions, seed %d, exit %d" % (seen[0], seed, status))
    for key, n in sorted(codes.items(), key=lambda x: -x[1]):
        print("%8d %s" % (n, key or "(none fails)"))
    sys.exit(1 if wrong or status != 0 or not wanted.empty() or
             seen[0] < decisions else 0)


main()
