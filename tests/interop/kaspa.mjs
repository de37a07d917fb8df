// KASPA's hashes and scripts, written from the rules with @noble/hashes: a
// second opinion on what the SDK cannot say.  A document is a PSKT as an
// object whose integers are BigInts.
import { blake2b } from "@noble/hashes/blake2";
import { blake3 } from "@noble/hashes/blake3";
import { sha256 } from "@noble/hashes/sha2";

export const MAX_U64 = 2n ** 64n - 1n;

const NATIVE = new Uint8Array(20);
const ZEROS = new Uint8Array(32);

export const hex = (bytes) => Buffer.from(bytes).toString("hex");
export const bytes = (text) => Uint8Array.from(Buffer.from(text, "hex"));

function le(n, size) {
	const out = new Uint8Array(size);
	let v = BigInt(n);
	for (let i = 0; i < size; i++, v >>= 8n)
		out[i] = Number(v & 0xffn);
	if (v !== 0n)
		throw new Error(`${n} in ${size} bytes`);
	return out;
}
const join = (...parts) => Uint8Array.from(Buffer.concat(parts.flat(9)));
const keyed = (key, data) => blake2b(data, { dkLen: 32,
    key: Buffer.from(key) });
const sighashOf = (...parts) => keyed("TransactionSigningHash", join(parts));

export const p2pk = (xonly) => `20${xonly}ac`;
export const p2pkEcdsa = (key) => `21${key}ab`;
export const multisigEcdsa = (m, keys) => (0x50 + m).toString(16) +
    keys.map((k) => `21${k}`).join("") +
    (0x50 + keys.length).toString(16) + "a9";
export const p2sh = (redeem) =>
    `aa20${hex(blake2b(bytes(redeem), { dkLen: 32 }))}87`;
export const multisig = (m, keys) => (0x50 + m).toString(16) +
    keys.map((k) => `20${k}`).join("") +
    (0x50 + keys.length).toString(16) + "ae";

// scriptPublicKey: 2 bytes of version, big-endian, and the script.
function spk(text) {
	const b = bytes(text);
	return [le(b[0] << 8 | b[1], 2), le(b.length - 2, 8), b.slice(2)];
}
const outpoint = (i) => [bytes(i.previousOutpoint.transactionId),
    le(i.previousOutpoint.index, 4)];
const sequence = (i) => le(i.sequence ?? MAX_U64, 8);
const sigOps = (i) => le(i.sigOpCount ?? 0n, 1);
const payloadOf = (doc) => doc.global.version >= 1n && doc.global.payload ?
    bytes(doc.global.payload) : new Uint8Array(0);

function output(o, version) {
	const plain = [le(o.amount, 8), spk(o.scriptPublicKey)];
	if (version === 0n)
		return plain;
	return o.covenant ? [plain, le(1, 1),
	    le(o.covenant.authorizingInput, 2), bytes(o.covenant.covenantId)] :
	    [plain, le(0, 1)];
}

// Without inputs fallbackLockTime would count.
export const lockTime = (doc) => doc.inputs.reduce((t, i) =>
    i.minTime != null && i.minTime > t ? i.minTime : t, 0n);

export function sighash(doc, index) {
	const version = doc.global.txVersion, own = doc.inputs[index];
	const type = Number(own.sighashType), base = type & 0x7f;
	const anyone = (type & 0x80) !== 0;
	const payload = payloadOf(doc);
	const outs = doc.outputs.map((o) => output(o, version));
	let outputs = ZEROS;
	if (base === 1)
		outputs = sighashOf(outs);
	else if (base === 4 && index < outs.length)
		outputs = sighashOf(outs[index]);
	return sighashOf(le(version, 2),
	    anyone ? ZEROS : sighashOf(doc.inputs.map(outpoint)),
	    anyone || base !== 1 ? ZEROS : sighashOf(doc.inputs.map(sequence)),
	    version !== 0n ? [] : anyone ? ZEROS :
	    sighashOf(doc.inputs.map(sigOps)),
	    outpoint(own), spk(own.utxoEntry.scriptPublicKey),
	    le(own.utxoEntry.amount, 8), sequence(own),
	    version === 0n ? sigOps(own) : [],
	    outputs, le(lockTime(doc), 8), NATIVE, le(0, 8),
	    payload.length === 0 ? ZEROS :
	    sighashOf(le(payload.length, 8), payload),
	    le(type, 1));
}

// What ECDSA signs instead.
export const ecdsaDigest = (hash) => sha256(join(
    sha256(Buffer.from("TransactionSigningHashECDSA")), hash));

function encoding(doc, payload) {
	const version = doc.global.txVersion;
	return join(le(version, 2), le(doc.inputs.length, 8),
	    doc.inputs.map((i) => [outpoint(i), le(0, 8), sequence(i)]),
	    le(doc.outputs.length, 8),
	    doc.outputs.map((o) => output(o, version)), le(lockTime(doc), 8),
	    NATIVE, le(0, 8), le(payload.length, 8), payload);
}

function keyed3(name, data) {
	const key = new Uint8Array(32);
	key.set(Buffer.from(name));
	return blake3(data, { key });
}

export function transactionId(doc) {
	const payload = payloadOf(doc);
	if (doc.global.txVersion === 0n)
		return hex(keyed("TransactionID", encoding(doc, payload)));
	return hex(keyed3("TransactionV1Id", join(
	    keyed3("PayloadDigest", payload),
	    keyed3("TransactionRest", encoding(doc, new Uint8Array(0))))));
}

// JSON whose integers are written out, however great.
export function json(v) {
	if (typeof v === "bigint")
		return v.toString();
	if (Array.isArray(v))
		return `[${v.map(json).join(",")}]`;
	if (v instanceof Map)
		v = Object.fromEntries(v);
	if (v !== null && typeof v === "object")
		return `{${Object.entries(v).map(([k, x]) =>
		    `${JSON.stringify(k)}:${json(x)}`).join(",")}}`;
	return v === undefined ? "null" : JSON.stringify(v);
}

// And read as BigInts: no string of these documents has a digit after a colon.
export const parse = (text) => JSON.parse(text.replace(
    /([:[,])\s*(\d+)(?=[,}\]])/g, '$1{"#":"$2"}'),
    (k, v) => v !== null && typeof v === "object" && v["#"] !== undefined ?
    BigInt(v["#"]) : v);
