#!/usr/bin/env python3
"""What devnet-keygen printed, worked out again with code that shares none of
its: BIP39, BIP32, secp256k1, Ed25519, BLAKE3, Keccak and Kaspa's encodings.

    keygen_ref.py M NETWORK NETWORK_ID [PAYMENT_SECRET] < JSON

Says what is wrong and exits 1, or prints nothing.  The public form (signers
without secrets) is checked as far as it goes.
"""
import hashlib
import hmac
import json
import struct
import sys

MASK32 = 0xFFFFFFFF
MASK64 = (1 << 64) - 1

# --- secp256k1 ---

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        s = 3 * a[0] * a[0] * pow(2 * a[1], -1, P) % P
    else:
        s = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (s * s - a[0] - b[0]) % P
    return x, (s * (a[0] - x) - a[1]) % P


def multiply(k, point=G):
    total = None
    while k:
        if k & 1:
            total = add(total, point)
        point = add(point, point)
        k >>= 1
    return total


def pubkey(secret):
    x, y = multiply(int.from_bytes(secret, "big"))
    return bytes([2 + (y & 1)]) + x.to_bytes(32, "big")


# --- BIP39, BIP32 ---

def seed_of(phrase, payment):
    return hashlib.pbkdf2_hmac("sha512", phrase.encode(),
                               b"mnemonic" + payment.encode(), 2048)


def derive(phrase, payment, path):
    i = hmac.digest(b"Bitcoin seed", seed_of(phrase, payment), "sha512")
    key, chain = i[:32], i[32:]
    for step in path:
        data = b"\0" + key if step >> 31 else pubkey(key)
        i = hmac.digest(chain, data + struct.pack(">I", step), "sha512")
        key = ((int.from_bytes(i[:32], "big") + int.from_bytes(key, "big"))
               % N).to_bytes(32, "big")
        chain = i[32:]
    return key


H = 1 << 31

# --- Ed25519 ---

Q = 2**255 - 19
D = -121665 * pow(121666, -1, Q) % Q


def ed_add(a, b):
    k = D * a[0] * b[0] * a[1] * b[1] % Q
    return ((a[0] * b[1] + b[0] * a[1]) * pow(1 + k, -1, Q) % Q,
            (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, -1, Q) % Q)


def ed_pubkey(seed):
    h = bytearray(hashlib.sha512(seed).digest()[:32])
    h[0] &= 248
    h[31] = h[31] & 127 | 64
    k = int.from_bytes(h, "little")
    y = 4 * pow(5, -1, Q) % Q
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, Q) % Q
    x = pow(x2, (Q + 3) // 8, Q)
    if (x * x - x2) % Q:
        x = x * pow(2, (Q - 1) // 4, Q) % Q
    point, total = (x if x % 2 == 0 else Q - x, y), (0, 1)
    while k:
        if k & 1:
            total = ed_add(total, point)
        point = ed_add(point, point)
        k >>= 1
    return (total[1] | (total[0] & 1) << 255).to_bytes(32, "little")


# --- BLAKE3 of one chunk ---

IV = [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
      0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19]
PERMUTE = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
QUARTERS = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
            (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]


def ror(w, n):
    return (w >> n | w << (32 - n)) & MASK32


def blake3(data):
    assert len(data) <= 1024
    blocks = [data[i:i + 64] for i in range(0, len(data), 64)] or [b""]
    cv = IV
    for at, block in enumerate(blocks):
        flags = (at == 0) * 1 | (at == len(blocks) - 1) * (2 | 8)
        m = list(struct.unpack("<16I", block.ljust(64, b"\0")))
        v = list(cv) + IV[:4] + [0, 0, len(block), flags]
        for _ in range(7):
            for k, (a, b, c, d) in enumerate(QUARTERS):
                for half, (r, s) in enumerate(((16, 12), (8, 7))):
                    v[a] = (v[a] + v[b] + m[2 * k + half]) & MASK32
                    v[d] = ror(v[d] ^ v[a], r)
                    v[c] = (v[c] + v[d]) & MASK32
                    v[b] = ror(v[b] ^ v[c], s)
            m = [m[j] for j in PERMUTE]
        cv = [v[j] ^ v[j + 8] for j in range(8)]
    return struct.pack("<8I", *cv)


# --- Keccak-256, as Ethereum has it ---

def keccak256(data):
    rate, lanes = 136, [[0] * 5 for _ in range(5)]
    data = bytearray(data) + b"\x01" + bytes(-(len(data) + 1) % rate)
    data[-1] |= 0x80
    rol = lambda w, n: (w << n | w >> (64 - n)) & MASK64 if n else w
    for off in range(0, len(data), rate):
        for i, w in enumerate(struct.unpack("<17Q", data[off:off + rate])):
            lanes[i % 5][i // 5] ^= w
        lfsr = 1
        for _ in range(24):
            c = [lanes[x][0] ^ lanes[x][1] ^ lanes[x][2] ^ lanes[x][3]
                 ^ lanes[x][4] for x in range(5)]
            for x in range(5):
                for y in range(5):
                    lanes[x][y] ^= c[x - 1] ^ rol(c[(x + 1) % 5], 1)
            x, y, cur = 1, 0, lanes[1][0]
            for t in range(24):
                x, y = y, (2 * x + 3 * y) % 5
                cur, lanes[x][y] = lanes[x][y], rol(cur, (t + 1) * (t + 2)
                                                    // 2 % 64)
            for y in range(5):
                row = [lanes[x][y] for x in range(5)]
                for x in range(5):
                    lanes[x][y] = row[x] ^ (~row[(x + 1) % 5]
                                            & row[(x + 2) % 5])
            for j in range(7):
                if lfsr & 1:
                    lanes[0][0] ^= 1 << ((1 << j) - 1)
                lfsr = (lfsr << 1 ^ (lfsr >> 7) * 0x171) & 0xFF
    return b"".join(struct.pack("<Q", lanes[i % 5][i // 5]) for i in range(4))


# --- Kaspa ---

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATOR = [0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8,
             0x1E4F43E470]
PREFIX = {"mainnet": "kaspa", "testnet": "kaspatest", "devnet": "kaspadev",
          "simnet": "kaspasim"}


def address(network, version, payload):
    data, acc, bits = [], 0, 0
    for byte in bytes([version]) + payload:
        acc, bits = acc << 8 | byte, bits + 8
        while bits >= 5:
            bits -= 5
            data.append(acc >> bits & 31)
    if bits:
        data.append(acc << (5 - bits) & 31)
    c = 1
    for d in [ord(ch) & 31 for ch in PREFIX[network]] + [0] + data + [0] * 8:
        top = c >> 35
        c = (c & 0x07FFFFFFFF) << 5 ^ d
        for i in range(5):
            if top >> i & 1:
                c ^= GENERATOR[i]
    c ^= 1
    data += [c >> 5 * (7 - i) & 31 for i in range(8)]
    return PREFIX[network] + ":" + "".join(CHARSET[d] for d in data)


def group_id(m, keys, network_id):
    d = struct.pack("<HH", m, len(keys)) + b"".join(sorted(keys))
    d += bytes([network_id]) + struct.pack("<5Q", 0, 0, 0, 0, 60)
    d += struct.pack("<QBIQ", 0, 0, 1, 0) + struct.pack("<Q", 0)
    for limit in (10**6, 10**11, 5 * 10**11):
        d += b"\1" + struct.pack("<Q", limit)
    return blake3(d + b"\0")


wrong = 0


def same(what, got, want):
    global wrong
    if got != want:
        print(f"{what}: {got} should be {want}")
        wrong = 1


def check_signer(s, network, payment):
    key = bytes.fromhex(s["pubkey_hex"])
    who = s["profile"]
    same(who + " address", s["address"], address(network, 0, key[-32:]))
    if "mnemonic" in s:
        same(who + " words", len(s["mnemonic"].split()), 24)
        same(who + " public key", key,
             pubkey(derive(s["mnemonic"], payment, [])))
        same(who + " path", s["derivation_path"], "")
    if "private_key_hex" in s:
        same(who + " public key", key,
             pubkey(bytes.fromhex(s["private_key_hex"])))
    if "iroh_seed_hex" in s:
        seed = bytes.fromhex(s["iroh_seed_hex"])
        same(who + " iroh key", s["iroh_pubkey_hex"], ed_pubkey(seed).hex())
        same(who + " peer id", s["iroh_peer_id"],
             "peer-" + blake3(seed)[:8].hex())
    return key


def check_devnet(j):
    w = j["wallet"]
    same("wallet name", (w["name"], w["password"]), ("devnet", "devnet"))
    key = derive(w["mnemonic"], "", [44 | H, 111111 | H, H, 0, 0])
    same("wallet key", w["private_key_hex"], key.hex())
    same("mining address", w["mining_address"],
         address("devnet", 0, pubkey(key)[1:]))
    for v in j["hyperlane_keys"]:
        same(v["name"], v["public_key_hex"],
             pubkey(bytes.fromhex(v["private_key_hex"])).hex())
    e = j["evm"]
    key = derive(e["mnemonic"], "", [44 | H, 60 | H, H, 0, 0])
    x, y = multiply(int.from_bytes(key, "big"))
    point = x.to_bytes(32, "big") + y.to_bytes(32, "big")
    same("evm key", e["private_key_hex"], key.hex())
    same("evm public key", e["public_key_uncompressed_hex"],
         "04" + point.hex())
    same("evm address", e["address_hex"], keccak256(point)[-20:].hex())
    same("evm chain", e["chain_id"], 31337)


def main():
    m, network, network_id = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    payment = sys.argv[4] if len(sys.argv) > 4 else ""
    j = json.load(sys.stdin)
    if "signer" in j:
        same("members", list(j), ["signer"])
        check_signer(j["signer"], network, payment)
        return wrong
    keys = [check_signer(s, network, payment) for s in j["signers"]]
    n = len(keys)
    full = [k if len(k) == 33 else b"\2" + k for k in keys]
    same("order", full, sorted(full))
    same("profiles", [s["profile"] for s in j["signers"]],
         [f"signer-{i + 1:02}" for i in range(n)])
    x = [k[-32:] for k in keys]
    same("member_pubkeys", j["member_pubkeys"], [k.hex() for k in x])
    same("signer_addresses", j["signer_addresses"],
         [s["address"] for s in j["signers"]])
    redeem = bytes([0x50 + m]) + b"".join(b"\x20" + k for k in x)
    redeem += bytes([0x50 + n, 0xAE])
    same("redeem script", j["redeem_script_hex"], redeem.hex())
    p2sh = address(network, 8,
                   hashlib.blake2b(redeem, digest_size=32).digest())
    same("addresses", (j["source_addresses"], j["change_address"],
                       j["multisig_address"]), ([p2sh], p2sh, p2sh))
    same("group_id", j["group_id"], group_id(m, x, network_id).hex())
    if network == "devnet" and "iroh_seed_hex" in j["signers"][0]:
        check_devnet(j)
    else:
        same("devnet's members", [k for k in j if k in
                                  ("wallet", "evm", "hyperlane_keys")], [])
    return wrong


if __name__ == "__main__":
    sys.exit(main())
