#!/usr/bin/env python3
"""Mixed load on the three daemons, for as long as is said, and what it does to
their memory, descriptors and latency (tests/bench/soak.sh).

    soak.py SOCKET SIGN.json SECONDS OUT KEYD SIGND AUDITD -- IGRACTL...

The last are pids, and igractl with its options.  Writes OUT.csv (a row a
second, of a minute where it takes long) and OUT.svg; prints a line for each
figure: name, median of the second quarter, of the last, and "flat" or
"GROWS".  The first quarter is for caches to fill.
"""
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time

CLIENTS = 4
PAUSE = 0.03            # of a client, after each answer
MIB = 1024


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Load:
    def __init__(self, path, sign, end):
        self.path = path
        self.sign = sign
        self.end = end
        self.lock = threading.Lock()
        self.latency = []
        self.count = {}
        self.surprises = {}

    def note(self, what, seconds, surprise=None):
        with self.lock:
            self.latency.append(seconds)
            self.count[what] = self.count.get(what, 0) + 1
            if surprise is not None:
                self.surprises[surprise] = self.surprises.get(surprise, 0) + 1

    def take(self):
        with self.lock:
            got, self.latency = self.latency, []
        return got

    def call(self, c, method, params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
                           "params": params})
        c.request("POST", "/rpc", body)
        answer = json.loads(c.getresponse().read())
        if "result" in answer:
            return None
        return answer["error"].get("data", {}).get("code", "?")

    def client(self, number):
        rng = random.Random(number)
        c = Unix(self.path)
        while time.monotonic() < self.end:
            kind = rng.choices(("sign", "public", "absent", "list", "junk",
                                "metrics", "anew"),
                               (40, 30, 5, 5, 5, 5, 10))[0]
            start = time.monotonic()
            surprise = None
            try:
                if kind == "sign":
                    surprise = self.call(c, "pskt.sign", self.sign)
                elif kind == "public":
                    surprise = self.call(c, "key.public", {
                        "profile": f"signer-{rng.randrange(1, 21):02}"})
                elif kind == "absent":
                    code = self.call(c, "key.public", {"profile": "signer-77"})
                    surprise = None if code == "KEY_NOT_FOUND" else code
                elif kind == "list":
                    surprise = self.call(c, "key.list", {})
                elif kind == "junk":
                    c.request("POST", "/rpc", "[" * rng.randrange(1, 5000))
                    c.getresponse().read()
                elif kind == "metrics":
                    c.request("GET", "/metrics")
                    c.getresponse().read()
                else:
                    c.close()
            except (OSError, ValueError, http.client.HTTPException) as e:
                surprise = type(e).__name__
                c.close()
            self.note(kind, time.monotonic() - start, surprise)
            time.sleep(PAUSE)


class Operator(threading.Thread):
    """Unlocks anew, rotates the log and reloads, one after the other."""

    def __init__(self, igractl, load):
        super().__init__(daemon=True)
        self.igractl = igractl
        self.load = load
        self.passfile = os.environ["PASSFILE"]
        self.done = {}

    def run(self):
        commands = [["unlock", "--passphrase-file", self.passfile],
                    ["audit", "rotate"], ["reload"], ["status"]]
        n = 0
        while time.monotonic() < self.load.end - 1:
            command = commands[n % len(commands)]
            n += 1
            r = subprocess.run(self.igractl + command, text=True,
                               stdin=subprocess.DEVNULL,
                               capture_output=True, check=False)
            name = " ".join(command[:2]) if command[0] == "audit" \
                else command[0]
            if r.returncode == 2:       # not in this version
                commands.remove(command)
            elif r.returncode == 0:
                self.done[name] = self.done.get(name, 0) + 1
            else:
                self.load.note("igractl", 0, f"igractl {name}: {r.stderr}")
            time.sleep(0.7)


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith("VmRSS"):
                rss = int(line.split()[1])
    return rss, len(os.listdir(f"/proc/{pid}/fd"))


def sample(pids, load, every):
    rows = []
    start = time.monotonic()
    at = start
    while time.monotonic() < load.end:
        at += every
        time.sleep(max(0, at - time.monotonic()))
        row = {"time": round(time.monotonic() - start, 1)}
        for name, pid in pids.items():
            row[name + " KiB"], row[name + " fds"] = status(pid)
        got = sorted(load.take())
        if not got:
            continue
        row["p50 ms"] = round(got[len(got) // 2] * 1e3, 2)
        row["p99 ms"] = round(got[min(len(got) - 1, len(got) * 99 // 100)] *
                              1e3, 2)
        row["requests"] = len(got)
        rows.append(row)
    return rows


def judge(rows):
    """Second quarter against the last.  Latency is the machine's as well."""
    n = len(rows)
    early, late = rows[n // 4:n // 2], rows[3 * n // 4:]
    bad = 0
    for name in rows[0]:
        if name in ("time", "requests"):
            continue
        a = statistics.median(r[name] for r in early)
        b = statistics.median(r[name] for r in late)
        if name.endswith("KiB"):
            most = max(a * 1.05, a + MIB)
        elif name.endswith("fds"):
            most = a + 3
        else:
            most = a * 3 + 20
        word = "flat" if b <= most else "GROWS"
        # How late answers are is, within minutes, whatever else runs.
        bad += word != "flat" and (not name.endswith("ms") or
                                   rows[-1]["time"] > 900)
        print(f"{name}: {a:g} {b:g} {word}")
    return bad


# --- the plot ---

PANELS = (("memory, MiB", " KiB", 1024), ("descriptors", " fds", 1),
          ("latency, ms", " ms", 1))
COLOURS = ("#1b6ca8", "#c1440e", "#3a7d44")


def svg(rows, path):
    width, height, left = 760, 170, 60
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 160}" '
           f'height="{len(PANELS) * (height + 50) + 30}" '
           'font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="white"/>']
    end = rows[-1]["time"]
    for p, (title, suffix, unit) in enumerate(PANELS):
        top = 30 + p * (height + 50)
        names = [n for n in rows[0] if n.endswith(suffix)]
        most = max(r[n] for r in rows for n in names) / unit * 1.1 or 1
        out.append(f'<text x="{left}" y="{top - 8}">{title}</text>')
        for i in range(5):
            y = top + height - height * i / 4
            out.append(f'<line x1="{left}" y1="{y:.1f}" x2="{width}" '
                       f'y2="{y:.1f}" stroke="#ddd"/>')
            out.append(f'<text x="{left - 6}" y="{y + 4:.1f}" '
                       f'text-anchor="end">{most * i / 4:.3g}</text>')
        for i, name in enumerate(names):
            points = " ".join(
                f"{left + (width - left) * r['time'] / end:.1f},"
                f"{top + height - height * r[name] / unit / most:.1f}"
                for r in rows)
            colour = COLOURS[i % len(COLOURS)]
            out.append(f'<polyline points="{points}" fill="none" '
                       f'stroke="{colour}" stroke-width="1.5"/>')
            out.append(f'<text x="{width + 10}" y="{top + 14 + 16 * i}" '
                       f'fill="{colour}">{name[:-len(suffix)]}</text>')
        out.append(f'<text x="{width}" y="{top + height + 16}" '
                   f'text-anchor="end">{end:g} s</text>')
    out.append("</svg>")
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(out) + "\n")


def main():
    path, signfile, seconds, out = sys.argv[1:5]
    seconds = float(seconds)
    pids = dict(zip(("keyd", "signd", "auditd"), sys.argv[5:8]))
    igractl = sys.argv[9:]
    with open(signfile, encoding="utf-8") as f:
        sign = json.load(f)
    load = Load(path, sign, time.monotonic() + seconds)
    threads = [threading.Thread(target=load.client, args=(i,), daemon=True)
               for i in range(CLIENTS)]
    operator = Operator(igractl, load)
    for t in threads + [operator]:
        t.start()
    rows = sample(pids, load, 60 if seconds > 7200 else 1)
    for t in threads + [operator]:
        t.join(30)
    columns = list(rows[0])
    with open(out + ".csv", "w", encoding="ascii") as f:
        f.write(",".join(columns) + "\n")
        for r in rows:
            f.write(",".join(str(r[c]) for c in columns) + "\n")
    svg(rows, out + ".svg")
    print("requests:", json.dumps(load.count, sort_keys=True))
    print("operator:", json.dumps(operator.done, sort_keys=True))
    bad = judge(rows)
    for what, n in load.surprises.items():
        print(f"SURPRISE: {n} times {what}")
    sys.exit(1 if bad or load.surprises else 0)


main()
