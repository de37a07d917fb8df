"""Ed25519 verification, from the formulas of RFC 8032, section 5.1.

Shares no code with the signer: it is what the tests believe.
As a program: ed25519.py PUBLIC_HEX MESSAGE_HEX SIGNATURE_HEX, exit 0 if valid.
"""
import hashlib
import sys

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def _add(p, q):
    """Extended coordinates (X, Y, Z, T), x = X/Z, y = Y/Z, T = XY/Z."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _mul(s, p):
    q = (0, 1, 1, 0)
    while s:
        if s & 1:
            q = _add(q, p)
        p = _add(p, p)
        s >>= 1
    return q


def _point(data):
    """The point that 32 bytes stand for, or None."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_M1 % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


G = _point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def verify(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(
        signature[:32] + public + message).digest(), "little") % L
    left, right = _mul(s, G), _add(r, _mul(k, a))
    return ((left[0] * right[2] - right[0] * left[2]) % P == 0 and
            (left[1] * right[2] - right[1] * left[2]) % P == 0)


if __name__ == "__main__":
    sys.exit(0 if verify(*map(bytes.fromhex, sys.argv[1:4])) else 1)
