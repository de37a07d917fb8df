"""BIP340 verification and public keys, from the BIP's own formulas.

Shares no code with the signer: it is what the tests believe.
As a program: bip340.py XONLY_HEX MESSAGE_HEX SIGNATURE_HEX, exit 0 if valid.
"""
import hashlib
import sys

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)


def _double(p):
    x, y, z = p
    if z == 0:
        return p
    s = 4 * x * y * y % P
    m = 3 * x * x % P
    x2 = (m * m - 2 * s) % P
    return x2, (m * (s - x2) - 8 * y**4) % P, 2 * y * z % P


def _add(p, q):
    """Jacobian p plus affine q (None: infinity)."""
    if q is None:
        return p
    x1, y1, z1 = p
    if z1 == 0:
        return q[0], q[1], 1
    zz = z1 * z1 % P
    h = (q[0] * zz - x1) % P
    r = (q[1] * zz * z1 - y1) % P
    if h == 0:
        return _double(p) if r == 0 else (0, 1, 0)
    hh = h * h % P
    v = x1 * hh % P
    x3 = (r * r - hh * h - 2 * v) % P
    return x3, (r * (v - x3) - y1 * hh * h) % P, z1 * h % P


def _affine(p):
    if p[2] == 0:
        return None
    i = pow(p[2], -1, P)
    return p[0] * i * i % P, p[1] * i * i * i % P


def _mul2(a, b, q):
    """a*G + b*q, both at once (Shamir)."""
    both = _affine(_add((G[0], G[1], 1), q)) if q else G
    r = (0, 1, 0)
    for i in range(max(a.bit_length(), b.bit_length()) - 1, -1, -1):
        r = _double(r)
        bits = (a >> i & 1, b >> i & 1)
        if bits != (0, 0):
            r = _add(r, {(1, 0): G, (0, 1): q, (1, 1): both}[bits])
    return _affine(r)


def lift_x(x):
    if x >= P:
        return None
    y2 = (pow(x, 3, P) + 7) % P
    y = pow(y2, (P + 1) // 4, P)
    if y * y % P != y2:
        return None
    return x, y if y % 2 == 0 else P - y


def pubkey(secret):
    """Compressed public key, 33 bytes, of 32 secret bytes."""
    x, y = _mul2(int.from_bytes(secret, "big"), 0, None)
    return bytes([2 + y % 2]) + x.to_bytes(32, "big")


def verify(xonly, message, signature):
    point = lift_x(int.from_bytes(xonly, "big"))
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:], "big")
    if point is None or r >= P or s >= N or len(signature) != 64:
        return False
    tag = hashlib.sha256(b"BIP0340/challenge").digest()
    e = int.from_bytes(hashlib.sha256(
        tag + tag + signature[:32] + xonly + message).digest(), "big") % N
    result = _mul2(s, N - e, point)
    return result is not None and result[1] % 2 == 0 and result[0] == r


if __name__ == "__main__":
    sys.exit(0 if verify(*map(bytes.fromhex, sys.argv[1:4])) else 1)
