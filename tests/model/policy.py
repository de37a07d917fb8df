"""A second policy, written from igra-policy(5): what compare.py expects."""
import bisect
import decimal
import hashlib

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
        self.sid = tx.signing_id()
        if set(self.kinds) != {"own"}:
            self.sid = self.sid, tuple(self.kinds)
        self.known = self.sid in self.j.known
        taken = not self.known and any(
            k == "foreign" and i.outpoint() in self.j.claims
            for i, k in zip(tx.inputs, self.kinds))
        self.outflow = max(0, sum(i.amount for i in self.own) - sum(
            o[0] for o, c in zip(tx.outputs, self.change)
            if c and not self.joinable and not taken))
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
        for i in self.tx.inputs:
            claim = self.j.claims.get(i.outpoint())
            if claim and not (i.has_utxo and
                              claim[:2] == (i.amount, SCRIPTS[i.script])):
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
