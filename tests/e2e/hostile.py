#!/usr/bin/env python3
"""Attackers for tests/sandbox/hostile.sh.

    hostile.py keyd SOCKET PROTO.JSON WHAT      as signd's user, to igra-keyd
    hostile.py signd SOCKET WHAT SECONDS        as an allowed user, to signd
    hostile.py victim SOCKET SECONDS            asks signd something, every now
                                                and then; prints how many
                                                answers, failures, and the
                                                slowest in ms

Each prints one line of words and numbers.
"""
import http.client
import json
import random
import resource
import select
import socket
import struct
import sys
import time

HEAD = struct.Struct("<4sHHIQ")
MAGIC = b"IGR1"
INFO_REQ, SIGN_REQ, ERROR = 3, 5, 1


def connect(path, timeout=5, wait=False):
    """wait: in the kernel's queue, in turn, while the socket's is full; else
    that is EAGAIN, as to curl.  It is not a thing of the daemon's making."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if not wait:
        s.settimeout(timeout)
    s.connect(path)
    s.settimeout(timeout)
    return s


def frame(kind, payload=b"", ident=1, magic=MAGIC, reserved=0, length=None):
    return HEAD.pack(magic, kind, reserved,
                     len(payload) if length is None else length,
                     ident) + payload


def closed(s, wait=20):
    """Does the other end close within so many seconds?"""
    s.settimeout(wait)
    try:
        while s.recv(65536):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True
    finally:
        s.close()


def once(path, data, end=False):
    """Sends it on a connection of its own; True when that gets closed."""
    try:
        s = connect(path)
    except OSError:
        return True             # turned away already
    try:
        s.sendall(data)
        if end:
            s.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    return closed(s)


# --- to igra-keyd ---

class Keyd:
    def __init__(self, path, vectors):
        self.path = path
        self.frames = {}
        with open(vectors) as f:
            for v in json.load(f):
                self.frames.setdefault(v["name"], []).append(
                    bytes.fromhex(v["frame"]))
        self.rng = random.Random(5)

    def payload(self, name):
        return self.frames[name][1][HEAD.size:]

    def garbage(self):
        n = 0
        for size in (1, 19, 20, 21, 200, 5000) * 15:
            n += once(self.path, self.rng.randbytes(size), end=True)
        return "closed", n, "of", 90

    def truncated(self):
        """Every frame that may come, cut anywhere; and lengths that lie."""
        n = total = 0
        for name in ("SIGN_REQ", "KEY_LIST_REQ", "KEY_PUBLIC_REQ", "NOTE"):
            whole = self.frames[name][1]
            for cut in range(1, len(whole), max(1, len(whole) // 8)):
                total += 2
                n += once(self.path, whole[:cut], end=True)
                if cut > HEAD.size:
                    # Complete, and too short for what it says.
                    n += once(self.path, frame(
                        struct.unpack_from("<H", whole, 4)[0],
                        whole[HEAD.size:cut]), end=True)
                else:
                    n += 1
        return "closed", n, "of", total

    def oversized(self):
        n = total = 0
        for kind in range(0, 40):
            for length in (2**32 - 1, 2**31, 24 * 1024 * 1024 + 1):
                total += 1
                n += once(self.path, frame(kind, b"x" * 100, length=length))
        for magic, reserved in ((b"IGR0", 0), (MAGIC, 1), (b"ISEC", 0)):
            total += 1
            n += once(self.path, frame(INFO_REQ, magic=magic,
                                       reserved=reserved))
        # The longest allowed, promised and never sent: memory is not taken.
        held = []
        for _ in range(3):
            s = connect(self.path)
            s.sendall(frame(SIGN_REQ, b"y" * 1000, length=24 * 1024 * 1024))
            held.append(s)
        time.sleep(0.3)
        for s in held:
            s.close()
        return "closed", n, "of", total

    def wrong(self):
        """What belongs on another socket or in the other direction."""
        n = total = 0
        for name, frames in self.frames.items():
            if name in ("INFO_REQ", "SIGN_REQ", "KEY_LIST_REQ",
                        "KEY_PUBLIC_REQ", "NOTE", "KEYD_STATUS_REQ",
                        "CHECK_REQ"):
                continue
            for f in frames:
                total += 1
                n += once(self.path, f)
        return "closed", n, "of", total

    def mutated(self):
        """Good frames with a few bytes changed; any answer will do."""
        n = 0
        for _ in range(400):
            f = bytearray(self.rng.choice(
                self.frames["SIGN_REQ"] + self.frames["CHECK_REQ"] +
                self.frames["NOTE"] +
                self.frames["KEY_PUBLIC_REQ"] + self.frames["KEY_LIST_REQ"]))
            for _ in range(self.rng.randrange(1, 4)):
                f[self.rng.randrange(HEAD.size, len(f))] = \
                    self.rng.randrange(256)
            once(self.path, bytes(f), end=True)
            n += 1
        return "sent", n

    def replayed(self):
        """One id again and again, pieces of several frames interleaved over
        connections, out of order within each: an answer for each, none twice.
        """
        conns = [connect(self.path) for _ in range(3)]
        body = self.payload("SIGN_REQ")
        data = [b"".join(frame(SIGN_REQ, body, ident=i % 5)
                         for i in range(40)) for _ in conns]
        pos = [0] * len(conns)
        while any(pos[i] < len(data[i]) for i in range(len(conns))):
            i = self.rng.randrange(len(conns))
            step = self.rng.randrange(1, 97)
            conns[i].sendall(data[i][pos[i]:pos[i] + step])
            pos[i] += step
        answers = 0
        for s in conns:
            answers += len(read_frames(s, 40, 20))
            s.settimeout(0.2)
            try:
                answers += 1000 * len(s.recv(1))
            except TimeoutError:
                pass
            s.close()
        return "answers", answers, "of", 120

    def flood(self, seconds=3):
        """Asks as fast as it can, and reads.  How many were not refused for
        their number, and how many were."""
        s = connect(self.path)
        s.setblocking(False)
        f = frame(SIGN_REQ, self.payload("SIGN_REQ")) * 50
        start = time.monotonic()
        end = start + seconds
        inbuf = bytearray()
        served = limited = sent = 0
        out = b""
        while time.monotonic() < end + 1:
            sending = time.monotonic() < end
            r, w, _ = select.select([s], [s] if sending or out else [], [],
                                    0.05)
            if r:
                got = s.recv(1 << 20)
                if not got:
                    return "closed", 0
                inbuf += got
            while len(inbuf) >= HEAD.size:
                _, kind, _, length, _ = HEAD.unpack_from(inbuf)
                if len(inbuf) < HEAD.size + length:
                    break
                body = inbuf[HEAD.size:HEAD.size + length]
                del inbuf[:HEAD.size + length]
                if kind == ERROR and struct.unpack_from("<H", body)[0] == 9:
                    limited += 1
                else:
                    served += 1
            if w:
                if not out and sending:
                    out = f
                    sent += 50
                try:
                    out = out[s.send(out):]
                except BlockingIOError:
                    pass
        s.close()
        return ("sent", sent, "served", served, "limited", limited, "took",
                int(time.monotonic() - start))

    def deaf(self, seconds=3):
        """Asks on every connection there is and never reads."""
        conns = []
        for _ in range(8):
            try:
                s = connect(self.path)
                s.setblocking(False)
                conns.append(s)
            except OSError:
                pass
        f = frame(INFO_REQ) * 100 + frame(SIGN_REQ, self.payload("SIGN_REQ"))
        end = time.monotonic() + seconds
        sent = 0
        while time.monotonic() < end:
            for s in list(conns):
                try:
                    sent += s.send(f)
                except BlockingIOError:
                    pass
                except OSError:
                    conns.remove(s)
            time.sleep(0.001)
        return "sent", sent, "open", len(conns)

    def notes(self):
        """Remarks for the log, in the name of everybody."""
        s = connect(self.path)
        kind = struct.unpack_from("<H", self.frames["NOTE"][1], 4)[0]
        body = bytearray(self.payload("NOTE"))
        for i in range(20000):
            # u32 peer uid: the last 8 bytes are uid and pid.
            struct.pack_into("<I", body, len(body) - 8, i)
            try:
                s.sendall(frame(kind, bytes(body)))
            except OSError:
                return "closed after", i
        s.close()
        return "sent", 20000


def read_frames(s, n, wait):
    s.settimeout(wait)
    buf, got = b"", []
    try:
        while len(got) < n:
            piece = s.recv(65536)
            if not piece:
                break
            buf += piece
            while len(buf) >= HEAD.size:
                _, kind, _, length, ident = HEAD.unpack_from(buf)
                if len(buf) < HEAD.size + length:
                    break
                got.append((kind, ident, buf[HEAD.size:HEAD.size + length]))
                buf = buf[HEAD.size + length:]
    except OSError:
        pass
    return got


# --- to igra-signd ---

INFO = b'{"jsonrpc":"2.0","id":1,"method":"signer.info"}'
HTTP_HEAD = (b"POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n")


class Signd:
    def __init__(self, path, seconds):
        self.path = path
        self.seconds = seconds
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 12000), hard))

    def connections(self):
        """10,000 of them, kept open as far as that is let."""
        conns, n, refused = [], 0, 0
        end = time.monotonic() + self.seconds
        while n < 10000 and time.monotonic() < end + 20:
            try:
                s = connect(self.path)
                s.setblocking(False)
                conns.append(s)
                n += 1
            except OSError:
                refused += 1
                time.sleep(0.001)
            if len(conns) > 3000:
                conns.pop(0).close()
        for s in conns:
            s.close()
        return "opened", n

    def drip(self):
        """A byte a second, on many at once."""
        conns = []
        for _ in range(200):
            try:
                conns.append(connect(self.path))
            except OSError:
                pass
        data = HTTP_HEAD % len(INFO) + INFO
        for i in range(self.seconds):
            for s in list(conns):
                try:
                    s.send(data[i:i + 1])
                except OSError:
                    conns.remove(s)
            time.sleep(1)
        return "open", len(conns)

    def halfclosed(self):
        n = 0
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            try:
                s = connect(self.path)
                s.sendall(HTTP_HEAD % 1000 + b"{")
                s.shutdown(socket.SHUT_WR)
                n += 1
                s.close()
            except OSError:
                pass
        return "sent", n

    def pipelined(self):
        """A thousand requests in one go, never waiting, again and again."""
        n = 0
        end = time.monotonic() + self.seconds
        data = (HTTP_HEAD % len(INFO) + INFO) * 1000
        while time.monotonic() < end:
            try:
                s = connect(self.path)
                s.setblocking(False)
                try:
                    n += s.send(data)
                except OSError:
                    pass
                time.sleep(0.01)
                s.close()
            except OSError:
                pass
        return "bytes", n

    def headers(self):
        """One header without end, and very many."""
        bombs = (b"GET / HTTP/1.1\r\nX: " + b"a" * 1000000,
                 b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100000,
                 b"GET /" + b"a" * 1000000 + b" HTTP/1.1\r\n\r\n",
                 b"POST /rpc HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" +
                 b"fffffffffffffff\r\n")
        n = 0
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            try:
                s = connect(self.path)
                s.settimeout(1)
                s.sendall(bombs[n % len(bombs)])
                s.close()
            except OSError:
                pass
            n += 1
        return "sent", n

    def batches(self):
        """10,000 in one document, 64 levels deep, and nothing but brackets.
        """
        bodies = (b"[" + b",".join([INFO] * 10000) + b"]",
                  b"[" * 1000000, b'{"a":' * 100000,
                  b"[" + b"1," * 2000000 + b"1]")
        codes = {}
        n = 0
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            c = Unix(self.path, 10)
            try:
                c.request("POST", "/rpc", bodies[n % len(bodies)])
                r = c.getresponse()
                body = r.read()
                codes[r.status] = codes.get(r.status, 0) + 1
                if b'"result"' in body:
                    codes["results"] = codes.get("results", 0) + 1
            except OSError:
                codes["cut"] = codes.get("cut", 0) + 1
            except http.client.HTTPException:
                codes["cut"] = codes.get("cut", 0) + 1
            c.close()
            n += 1
        return "answers", json.dumps(codes, sort_keys=True)


class Unix(http.client.HTTPConnection):
    def __init__(self, path, timeout, waits=False):
        super().__init__("localhost", timeout=timeout)
        self.path = path
        self.waits = waits

    def connect(self):
        self.sock = connect(self.path, self.timeout, self.waits)


def victim(path, seconds):
    """A connection for each question."""
    good = bad = 0
    worst = 0.0
    why = ""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.monotonic()
        c = Unix(path, 20, waits=True)
        try:
            c.request("POST", "/rpc", INFO)
            if "result" in json.loads(c.getresponse().read()):
                good += 1
            else:
                bad += 1
        except (OSError, ValueError, http.client.HTTPException) as e:
            bad += 1
            why = repr(e)
        c.close()
        worst = max(worst, time.monotonic() - start)
        time.sleep(0.05)
    return "good", good, "bad", bad, "worst", int(worst * 1000), why


def main():
    what = sys.argv[1]
    if what == "keyd":
        out = getattr(Keyd(sys.argv[2], sys.argv[3]), sys.argv[4])()
    elif what == "signd":
        out = getattr(Signd(sys.argv[2], int(sys.argv[4])), sys.argv[3])()
    else:
        out = victim(sys.argv[2], float(sys.argv[3]))
    print(*out)


main()
