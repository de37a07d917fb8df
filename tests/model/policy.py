#!/usr/bin/env python3
"""A second policy, written from igra-policy(5), against that of igra-keyd.

usage: policy.py DRIVER [DECISIONS [SEED]]

Random configs, documents, bundles, replays, lies, releases, clocks and
reboots; every decision of DRIVER (tests/e2e/policy-driver.c) has to be the
one that is expected here, with the figures of every check.
"""
import bisect
import decimal
import hashlib
import queue
import random
import subprocess
import sys
import threading

LINES_SHOWN = 40                # of what led to a difference
U64 = 2**64 - 1
SECOND = 10**9
HOUR, DAY, WEEK = 3600 * SECOND, 86400 * SECOND, 604800 * SECOND
TYPES = {1: "all", 2: "none", 4: "single", 0x81: "all_anyonecanpay",
         0x82: "none_anyonecanpay", 0x84: "single_anyonecanpay"}

# --- what scripts there are ---

OURS, OTHER, THIRD, ATTACKER = (bytes([b]) * 32 for b in (17, 34, 51, 68))


def multisig(m, *keys):
    return (bytes([0x50 + m]) + b"".join(b"\x20" + k for k in keys) +
            bytes([0x50 + len(keys)]) + b"\xae")


def p2sh(redeem):
    return b"\xaa\x20" + hashlib.blake2b(redeem, digest_size=32).digest() + \
        b"\x87"


def p2pk(key):
    return b"\x20" + key + b"\xac"


OWN = multisig(2, OTHER, OURS, THIRD)
TRAP = multisig(1, OURS, ATTACKER)
STRANGE = multisig(2, OTHER, THIRD)
REDEEMS = [b"", OWN, TRAP, STRANGE, b"\x00"]
WITH_OUR_KEY = (OWN, TRAP)
SCRIPTS = [(0, b""), (0, p2sh(OWN)), (1, p2sh(OWN)), (0, p2pk(OURS)),
           (0, p2pk(OTHER)), (0, p2sh(TRAP)), (0, p2sh(STRANGE)),
           (0, b"\x51\x52\x53"), (0, p2sh(OWN) + b"\x00"),
           (1, p2pk(OTHER)), (0, p2pk(ATTACKER)), (0, p2pk(THIRD))]
S_OWN, S_OURS, S_OTHER, S_TRAP, S_STRANGE = 1, 3, 4, 5, 6


class Input:
    __slots__ = ("txid", "index", "sequence", "sigops", "type", "has_utxo",
                 "amount", "script", "score", "redeem")

    def line(self):
        return "i %d %d %d %d %d %d %d %d %d %d" % (
            self.txid, self.index, self.sequence, self.sigops, self.type,
            self.has_utxo, self.amount, self.script, self.score, self.redeem)

    def outpoint(self):
        return self.txid, self.index

    def copy(self):
        i = Input()
        for name in Input.__slots__:
            setattr(i, name, getattr(self, name))
        return i


class Tx:
    """outputs: [value, script, covenant]"""

    def __init__(self, version, lock_time, inputs, outputs):
        self.version, self.lock_time = version, lock_time
        self.inputs, self.outputs = inputs, outputs

    def lines(self):
        return ["tx %d %d %d %d" % (self.version, self.lock_time,
                                    len(self.inputs), len(self.outputs))] + \
            [i.line() for i in self.inputs] + \
            ["o %d %d %d" % tuple(o) for o in self.outputs]

    def copy(self):
        return Tx(self.version, self.lock_time,
                  [i.copy() for i in self.inputs],
                  [list(o) for o in self.outputs])

    def signing_id(self):
        """All that the transaction's id commits to, and the UTXOs."""
        return (self.version, self.lock_time,
                tuple((i.txid, i.index, i.sequence, i.type, i.sigops,
                       i.has_utxo) + ((i.amount, SCRIPTS[i.script])
                                      if i.has_utxo else ())
                      for i in self.inputs),
                tuple(tuple(o) for o in self.outputs))


class Clock:
    """Policy time: exact in one boot; it stands still while in doubt."""

    def __init__(self, boot, wall):
        self.pending = None
        self.policy = 0
        self.boot = self.at_boot = boot
        self.wall = self.at_wall = wall

    def restart(self):
        self.pending = None
        self.at_boot, self.at_wall = self.boot, self.wall

    def look(self, boot, wall, rebooted, anything_counts):
        self.boot, self.wall = boot, wall
        if self.pending:
            return
        if rebooted:
            if anything_counts:
                self.pending = "reboot"
            else:
                self.restart()
            return
        passed = boot - self.at_boot
        self.policy += passed
        self.at_boot += passed
        self.at_wall += passed
        if abs(wall - self.at_wall) > 300 * SECOND:
            self.pending = "step"

    def accept(self):
        if self.pending == "reboot":
            gap = self.wall - self.at_wall
        elif self.pending == "step":
            gap = self.boot - self.at_boot
        else:
            return
        self.policy += max(0, gap) // SECOND * SECOND
        self.restart()


class Journal:
    def __init__(self, clock):
        self.clock = clock
        self.known = set()
        self.claims = {}            # outpoint -> amount, script, signing id
        self.times, self.sums = [], [0]

    def since(self, window):
        """What left within the window, and how many were signed in it."""
        first = bisect.bisect_right(self.times, self.clock.policy - window)
        return self.sums[-1] - self.sums[first], len(self.times) - first

    def reserve(self, decision):
        if decision.sid in self.known:
            return
        self.known.add(decision.sid)
        self.times.append(self.clock.policy)
        self.sums.append(self.sums[-1] + decision.outflow)
        for i in decision.signed:
            self.claims[i.outpoint()] = (i.amount, SCRIPTS[i.script],
                                         decision.sid)


class Refused(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Decision:
    """One transaction, under a config, after a journal and a bundle."""

    def __init__(self, config, journal, bundle, tx, has_reason):
        self.c, self.j, self.b, self.tx = config, journal, bundle, tx
        self.has_reason = has_reason
        self.counted = False
        self.rows = []
        self.code, self.first = "OK", None
        try:
            self.form()
        except Refused as r:
            self.code = r.code
            return
        self.counted = True
        self.check()

    # What comes before any check.

    def own_script(self, script):
        if self.c.redeem:
            return SCRIPTS[script] == (0, p2sh(OWN))
        return self.c.network != "mainnet" and \
            SCRIPTS[script] == (0, p2pk(OURS))

    def kind(self, i):
        redeem = REDEEMS[i.redeem]
        if not i.has_utxo:
            if redeem in WITH_OUR_KEY:
                raise Refused("INVALID_PSKT")
            return "foreign"
        if self.own_script(i.script):
            return "own"
        if SCRIPTS[i.script] == (0, p2pk(OURS)) or \
                (redeem in WITH_OUR_KEY and
                 SCRIPTS[i.script] == (0, p2sh(redeem))):
            return "shared"
        return "foreign"

    def form(self):
        tx = self.tx
        if tx.version > 1:
            raise Refused("UNSUPPORTED")
        if not tx.inputs or not tx.outputs:
            raise Refused("INVALID_PSKT")
        for i in tx.inputs:
            version, script = SCRIPTS[i.script]
            if i.has_utxo and REDEEMS[i.redeem] and version == 0 and \
                    len(script) == 35 and script[0] == 0xaa and \
                    script != p2sh(REDEEMS[i.redeem]):
                raise Refused("INVALID_PSKT")
        if tx.version == 0 and any(o[2] for o in tx.outputs):
            raise Refused("INVALID_PSKT")
        spent = [i.outpoint() for i in tx.inputs]
        if len(set(spent)) < len(spent):
            raise Refused("INVALID_PSKT")
        self.kinds = kinds = [self.kind(i) for i in tx.inputs]
        self.signed = [i for i, k in zip(tx.inputs, kinds) if k != "foreign"]
        self.own = [i for i, k in zip(tx.inputs, kinds) if k == "own"]
        if not self.signed:
            raise Refused("NOT_A_SIGNER")
        if self.c.network == "mainnet" and len(self.own) < len(tx.inputs):
            raise Refused("NOT_A_SIGNER")
        if any(i.type not in TYPES for i in self.signed):
            raise Refused("INVALID_PSKT")
        self.fixed = all(i.type & 6 == 0 for i in self.signed)
        self.joinable = any(i.type & 0x80 for i in self.signed)
        self.amounts()

    def amounts(self):
        tx = self.tx
        total_in = sum(i.amount for i in tx.inputs if i.has_utxo)
        total_out = sum(o[0] for o in tx.outputs)
        if total_in > U64 or total_out > U64:
            raise Refused("INVALID_PSKT")
        self.fee = None
        if all(i.has_utxo for i in tx.inputs):
            if total_out > total_in:
                raise Refused("INVALID_PSKT")
            self.fee = total_in - total_out
        self.change = [self.fixed and self.own_script(o[1]) and not o[2]
                       for o in tx.outputs]
        self.outflow = max(0, sum(i.amount for i in self.own) - sum(
            o[0] for o, c in zip(tx.outputs, self.change)
            if c and not self.joinable))
        self.sid = tx.signing_id()
        if set(self.kinds) != {"own"}:
            self.sid = self.sid, tuple(self.kinds)
        self.known = self.sid in self.j.known
        self.new = 0 if self.known else sum(
            i.outpoint() not in self.j.claims for i in self.signed)

    # The checks.  Each: outcome, limit and value; None is not compared.

    def check(self):
        for name in CHECKS:
            result = getattr(self, name)()
            outcome, limit, value = result[:3]
            self.rows.append((name, outcome, value))
            if outcome == "!" and self.first is None:
                self.code = result[3] if len(result) > 3 else "POLICY_DENIED"
                self.first = (name, limit, value)

    def limit(self, limit, value, ok):
        return ("+" if ok else "!", str(limit), str(value))

    def unenforced(self):
        return ("+" if self.c.network == "mainnet" else "-", "", "")

    def allowed_sighash_types(self):
        ok = all(TYPES[i.type] in self.c.types for i in self.signed)
        return ("+" if ok else "!", None, None)

    def require_reason(self):
        if not self.c.require_reason:
            return ("-", "", "")
        return ("+" if self.has_reason else "!", None, None)

    def allowed_destinations(self):
        if not self.c.destinations:
            return ("-", "", "")
        ok = self.fixed and all(
            change or (not covenant and script in self.c.destinations)
            for (_, script, covenant), change in
            zip(self.tx.outputs, self.change))
        return ("+" if ok else "!", None, None)

    def fee_limit(self, shown, most):
        if self.fee is None:
            return ("!", shown, "unknown")
        if not self.fixed or self.joinable:
            return ("!", shown, "any")
        return ("+" if self.fee <= most else "!", shown, str(self.fee))

    def max_fee_sompi(self):
        most = self.c.get("max_fee_sompi")
        if most is None:
            return ("-", "", "")
        return self.fee_limit(str(most), most)

    def max_fee_percent(self):
        if self.c.percent is None:
            return ("-", "", "")
        percent = decimal.Decimal(self.c.percent)
        millionths = int(percent * 10**6)
        return self.fee_limit(None, self.outflow * millionths // 10**8)

    def max_amount_sompi(self):
        most = self.c.get("max_amount_sompi")
        if most is None:
            return ("-", "", "")
        return self.limit(most, self.outflow, self.outflow <= most)

    def min_amount_sompi(self):
        least = self.c.get("min_amount_sompi")
        if least is None:
            return ("-", "", "")
        return self.limit(least, self.outflow, self.outflow == 0 or
                          self.outflow >= least)

    def max_lock_time_ahead(self):
        most = self.c.get("max_lock_time_ahead")
        if most is None:
            return ("-", "", "")
        off = all(i.sequence == U64 for i in self.tx.inputs) and \
            all(i.type == 1 for i in self.signed)
        if off:
            ahead = decimal.Decimal(0)
        elif self.tx.lock_time < 500000000000:
            score = max([i.score for i in self.own], default=0)
            ahead = decimal.Decimal(self.tx.lock_time - score) / 10
        else:
            now_ms = self.j.clock.wall // 10**6
            ahead = decimal.Decimal(self.tx.lock_time - now_ms) / 1000
        ahead = max(ahead, decimal.Decimal(0))
        shown = ahead.to_integral_value(decimal.ROUND_CEILING)
        return self.limit(most, int(shown), ahead <= most)

    def outpoint_claim(self):
        for i in self.signed:
            claim = self.j.claims.get(i.outpoint())
            if claim and claim[:2] != (i.amount, SCRIPTS[i.script]):
                return ("!", None, None)
        return ("+", "", "")

    def outpoint_conflict(self):
        if any(i.outpoint() in self.b.spent for i in self.tx.inputs):
            return ("!", None, None, "CONFLICT")
        if not self.c.allow_replacement and not self.known:
            for i in self.signed:
                claim = self.j.claims.get(i.outpoint())
                if claim and claim[:2] == (i.amount, SCRIPTS[i.script]) and \
                        claim[2] != self.sid:
                    return ("!", None, None, "CONFLICT")
        return ("+", None, None)

    def max_outpoints(self):
        most = self.c.max_outpoints
        held = max(len(self.j.claims), len(self.j.known))
        need = 0
        if not self.known:
            need = max(self.b.ids + 1, self.b.claims + self.new)
        return self.limit(most, min(held, most) + need,
                          need == 0 or held + need <= most)

    def max_per_hour(self):
        most = self.c.get("max_per_hour")
        if most is None:
            return ("-", "", "")
        count = self.j.since(HOUR)[1]
        if not self.known:
            count += self.b.ids + 1
        return self.limit(most, count, self.known or count <= most)

    def volume(self, name, window):
        most = self.c.get(name)
        if most is None:
            return ("-", "", "")
        left = min(self.j.since(window)[0], U64)
        if not self.known:
            left = min(left + self.b.outflow + self.outflow, U64)
        return self.limit(most, left, self.known or left <= most)

    def max_hourly_volume_sompi(self):
        return self.volume("max_hourly_volume_sompi", HOUR)

    def max_daily_volume_sompi(self):
        return self.volume("max_daily_volume_sompi", DAY)

    def max_weekly_volume_sompi(self):
        return self.volume("max_weekly_volume_sompi", WEEK)

    def text(self, check):
        """As the driver prints it; None for what is not compared."""
        words = [self.code, self.first or ("", "", "")]
        if self.counted:
            words.append("%d %d %s %d" % (
                len(self.signed), self.outflow,
                "?" if self.fee is None else self.fee, self.known))
        if check:
            words += [(outcome, value if name[:4] in ("max_", "min_") else "")
                      for name, outcome, value in self.rows]
        return words


CHECKS = ["unenforced", "allowed_sighash_types", "require_reason",
          "allowed_destinations", "max_fee_sompi", "max_fee_percent",
          "max_amount_sompi", "min_amount_sompi", "max_lock_time_ahead",
          "outpoint_claim", "outpoint_conflict", "max_outpoints",
          "max_per_hour", "max_hourly_volume_sompi",
          "max_daily_volume_sompi", "max_weekly_volume_sompi"]


class Bundle:
    def __init__(self):
        self.spent = set()
        self.outflow = self.ids = self.claims = 0

    def add(self, d):
        self.spent.update(i.outpoint() for i in d.tx.inputs)
        if d.counted and not d.known:
            self.outflow += d.outflow
            self.ids += 1
            self.claims += d.new


def decide(config, journal, txs, has_reason, check):
    bundle, decisions, refused = Bundle(), [], len(txs)
    for n, tx in enumerate(txs):
        d = Decision(config, journal, bundle, tx, has_reason)
        decisions.append(d)
        if d.code != "OK":
            refused = min(refused, n)
            if not check:
                break
        bundle.add(d)
    if not check and refused == len(txs):
        for d in decisions:
            journal.reserve(d)
    return refused, decisions


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
        what = r.randrange(9)
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
            i.script = r.choice([S_OWN, S_OURS, 2])
            i.redeem = 0
        elif what == 8 and len(tx.inputs) > 1:
            tx.inputs.pop()
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
