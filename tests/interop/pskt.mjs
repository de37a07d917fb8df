// PSKTs of every shape, at random: the Kaspa SDK and a second implementation
// of the hashes (kaspa.mjs, noble) against igra-pskt and igra-keyd's code.
// Prints "ok - …" and "not ok - …" lines, one per property of all documents.
//
//	node pskt.mjs IGRA-PSKT PSKT-SIGN COUNT [SEED]
import { spawnSync } from "node:child_process";
import { schnorr, secp256k1 } from "@noble/curves/secp256k1";
import sdk from "./sdk.mjs";
import { MAX_U64, ecdsaDigest, hex, json, lockTime, multisig, multisigEcdsa,
    p2pk, p2pkEcdsa, p2sh, parse, sighash, transactionId } from "./kaspa.mjs";

const [tool, signer, countText, seedText] = process.argv.slice(2);
const COUNT = Number(countText);
const SEED = BigInt(seedText ?? Date.now());
const NETWORK = "devnet";

let failed = 0;
const results = new Map();

// One property: how many documents have it, and the first that has not.
function holds(what, doc, got, want) {
	const r = results.get(what) ?? { n: 0, bad: 0 };
	results.set(what, r);
	r.n++;
	if (got === want)
		return;
	if (r.bad++ === 0)
		r.first = `    got:  ${got}\n    want: ${want}\n    ${json(doc)}`;
}

function report() {
	for (const [what, r] of results) {
		if (r.bad === 0) {
			console.log(`ok - ${what}: ${r.n}`);
			continue;
		}
		failed++;
		console.log(`not ok - ${what}: ${r.bad} of ${r.n}`);
		console.error(`    seed ${SEED}\n${r.first}`);
	}
}

// --- chance (splitmix64) ---

let state = SEED & MAX_U64;
function next() {
	state = state + 0x9e3779b97f4a7c15n & MAX_U64;
	let z = state;
	z = (z ^ z >> 30n) * 0xbf58476d1ce4e5b9n & MAX_U64;
	z = (z ^ z >> 27n) * 0x94d049bb133111ebn & MAX_U64;
	return z ^ z >> 31n;
}
const below = (n) => Number(next() % BigInt(n));
const bigBelow = (n) => next() % n;
const one = (list) => list[below(list.length)];
const randomHex = (n) => Array.from({ length: n }, () =>
    below(256).toString(16).padStart(2, "0")).join("");

// --- keys and documents ---

const keys = Array.from({ length: 20 }, () => {
	const secret = randomHex(32);
	return { secret, x: hex(schnorr.getPublicKey(secret)),
	    compressed: hex(secp256k1.getPublicKey(secret)),
	    sdk: new sdk.PrivateKey(secret) };
});

function someKeys(n) {
	const rest = [...keys];
	return Array.from({ length: n }, () =>
	    rest.splice(below(rest.length), 1)[0]);
}

// The types that the SDK's numbers stand for, where they stand for one.
const TYPES = [0x01, 0x02, 0x04, 0x81, 0x82, 0x84];

function input(index, doc, small) {
	const many = below(3) > 0, n = many ? 1 + below(one([2, 3, 3, 3, 5, 5, 5, 15])) : 1;
	const owners = someKeys(n), m = 1 + below(n);
	const redeem = many ? multisig(m, owners.map((k) => k.x)) : null;
	const script = many ? p2sh(redeem) : p2pk(owners[0].x);
	const i = {
		utxoEntry: { amount: 1n + bigBelow(10n ** BigInt(1 + below(15))),
		    scriptPublicKey: `0000${script}`,
		    blockDaaScore: bigBelow(10n ** 9n),
		    isCoinbase: below(8) === 0 },
		previousOutpoint: { transactionId: randomHex(32),
		    index: BigInt(one([0, index, 2 ** 32 - 1])) },
		sequence: small ? one([null, 0n, next() >> 12n]) :
		    one([null, 0n, MAX_U64, next()]),
		minTime: one([null, null, 0n, bigBelow(10n ** 12n)]),
		partialSigs: {},
		sighashType: BigInt(below(2) ? 1 : one(TYPES)),
		redeemScript: redeem,
		sigOpCount: one([BigInt(n), BigInt(n), BigInt(below(256)), null]),
		bip32Derivations: {},
		finalScriptSig: null,
		proprietaries: {},
	};
	return { i, owners, m };
}

function output(doc, amount) {
	const o = {
		amount,
		scriptPublicKey: one([
			`0000${p2pk(one(keys).x)}`, `0000${p2pk(one(keys).x)}`,
			`000021${one(["02", "03"])}${one(keys).x}ab`,
			`0000${p2sh(multisig(1, [one(keys).x]))}`,
			`0000${randomHex(below(60))}`]),
		redeemScript: null,
		bip32Derivations: {},
		proprietaries: {},
	};
	if (doc.global.txVersion === 1n && below(2))
		o.covenant = { authorizingInput: BigInt(below(5)),
		    covenantId: randomHex(32) };
	return o;
}

function makeCase() {
	const shape = one(["plain", "plain", "plain", "payload", "v1"]);
	const nin = one([1, 1, 2, 2, 3, 4]), nout = one([1, 1, 2, 2, 3, 6]);
	const doc = {
		global: { version: shape === "plain" ? 0n : 1n,
		    txVersion: shape === "v1" ? 1n : 0n, fallbackLockTime: null,
		    inputsModifiable: false, outputsModifiable: false,
		    inputCount: BigInt(nin), outputCount: BigInt(nout), xpubs: {},
		    id: null, proprietaries: {}, payload: shape === "plain" ||
		    below(2) ? null : randomHex(below(100)) },
		inputs: [], outputs: [],
	};
	const c = { doc, owners: [], m: [] };
	const small = below(2) === 0;
	let left = 0n;
	for (let k = 0; k < nin; k++) {
		const made = input(k, doc, small);
		doc.inputs.push(made.i);
		c.owners.push(made.owners);
		c.m.push(made.m);
		left += made.i.utxoEntry.amount;
	}
	for (let k = 0; k < nout && left > 0n; k++) {
		const amount = 1n + bigBelow(left);
		doc.outputs.push(output(doc, amount));
		left -= amount;
	}
	doc.global.outputCount = BigInt(doc.outputs.length);
	// Of native payloads and version 1 the SDK knows nothing.
	c.forSdk = shape === "plain";
	return c;
}

const copy = (c) => ({ ...c, doc: parse(json(c.doc)) });

// --- the SDK ---

function sdkTransaction(doc) {
	return new sdk.Transaction({ version: 0,
	    inputs: doc.inputs.map((i) => {
		const outpoint = { transactionId: i.previousOutpoint.transactionId,
		    index: Number(i.previousOutpoint.index) };
		return { previousOutpoint: outpoint, signatureScript: "",
		    sequence: i.sequence ?? MAX_U64,
		    sigOpCount: Number(i.sigOpCount ?? 0n),
		    utxo: { outpoint, amount: i.utxoEntry.amount,
		    scriptPublicKey: i.utxoEntry.scriptPublicKey,
		    blockDaaScore: i.utxoEntry.blockDaaScore,
		    isCoinbase: i.utxoEntry.isCoinbase } };
	    }),
	    outputs: doc.outputs.map((o) => ({ value: o.amount,
		scriptPublicKey: o.scriptPublicKey })),
	    lockTime: lockTime(doc), subnetworkId: "00".repeat(20), gas: 0n,
	    payload: "" });
}

// Some keys of each input sign; what type that was is the signature's end.
function sdkSigns(c) {
	const tx = sdkTransaction(c.doc);
	c.sdkId = tx.finalize().toString();
	c.doc.inputs.forEach((i, k) => {
		const type = TYPES.indexOf(Number(i.sighashType));
		for (const key of c.owners[k].slice(0, c.m[k])) {
			const s = sdk.createInputSignature(tx, k, key.sdk, type);
			// It writes 80 for "all, anyone can pay".
			if (parseInt(s.slice(-2), 16) !== TYPES[type])
				continue;
			i.partialSigs[`${one(["02", "03"])}${key.x}`] =
			    { schnorr: s.slice(2, 130) };
		}
	});
}

const sdkRead = (doc) => new sdk.PSKT(json(doc));
const sdkBack = (pskt) => parse(json(pskt.payload.payload));

// --- our programs: one process for all documents ---

function lines(program, args, input) {
	const r = spawnSync(program, args, { encoding: "utf8", input:
	    input.map((l) => `${l}\n`).join(""), maxBuffer: 1 << 30 });
	const out = r.stdout.split("\n").slice(0, -1);
	if (r.error || out.length !== input.length)
		throw new Error(`${program} ${args}: ${r.error ?? r.stderr}`);
	return out;
}
const inspect = (docs) => lines(tool, ["inspect", "-jl", "--network",
    NETWORK], docs.map(json)).map((l) => JSON.parse(l));
const oursSigns = (cases) => lines(signer, [], cases.map((c) =>
    `${keys.map((k) => k.secret).join(",")} ${json(c.doc)}`));

// --- what is compared ---

function address(spk) {
	const a = sdk.addressFromScriptPublicKey(spk, NETWORK);
	return a === undefined ? null : a.toString();
}

function redeemBySdk(m, owners) {
	const b = new sdk.ScriptBuilder().addI64(BigInt(m));
	owners.forEach((k) => b.addData(k.x));
	return b.addI64(BigInt(owners.length))
	    .addOp(sdk.Opcodes.OpCheckMultiSig).drain();
}

function compareScripts(c) {
	c.doc.inputs.forEach((i, k) => {
		if (i.redeemScript === null)
			return;
		holds("redeem scripts are the SDK's", c.doc, i.redeemScript,
		    redeemBySdk(c.m[k], c.owners[k]));
		holds("P2SH scripts are the SDK's", c.doc,
		    i.utxoEntry.scriptPublicKey.slice(4),
		    sdk.payToScriptHashScript(i.redeemScript).script);
	});
}

function compareInspected(c, got) {
	holds("igra-pskt reads it", c.doc, got.error ?? "yes", "yes");
	if (got.error !== undefined)
		return;
	const p = got.pskts[0];
	holds("transaction ids are kaspa.mjs's", c.doc, p.transaction_id,
	    transactionId(c.doc));
	if (c.sdkId !== undefined)
		holds("transaction ids are the SDK's", c.doc,
		    p.transaction_id, c.sdkId);
	p.inputs.forEach((i, k) => holds("addresses of inputs are the SDK's",
	    c.doc, i.address, address(c.doc.inputs[k].utxoEntry.scriptPublicKey)));
	p.outputs.forEach((o, k) => holds("addresses of outputs are the SDK's",
	    c.doc, o.address, address(c.doc.outputs[k].scriptPublicKey)));
}

// Each key's signature is as the document says.
function compareSignatures(c, got, what) {
	got.pskts[0].inputs.forEach((i, k) => {
		const sigs = c.doc.inputs[k].partialSigs;
		const have = new Set(Object.keys(sigs).map((key) => key.slice(2)));
		for (const key of i.keys)
			holds(have.has(key.public_key) ? `${what}, type ${
			    c.doc.inputs[k].sighashType}` :
			    "who has not signed is missing", c.doc, `${key.public_key} ${key.signature}`,
			    `${key.public_key} ${have.has(key.public_key) ?
			    "valid" : "missing"}`);
	});
}

function compareSigned(c, text) {
	const doc = text.startsWith("error: ") ? null : parse(text);
	holds("we sign it", c.doc, doc === null ? text : "yes", "yes");
	if (doc === null)
		return;
	doc.inputs.forEach((i, k) => {
		const sigs = Object.entries(i.partialSigs);
		holds("every key of an input signs", c.doc, sigs.length,
		    c.owners[k].length);
		const hash = sighash(c.doc, k);
		for (const [key, s] of sigs)
			holds(`noble verifies ours, type ${i.sighashType}`, doc,
			    schnorr.verify(s.schnorr, hash, key.slice(2)), true);
		i.partialSigs = {};
		i.bip32Derivations = {};
	});
	holds("and nothing else has changed", c.doc, json(doc), json(c.doc));
}

// Into the SDK and out of it: the same transaction, the same signatures.
function throughSdk(signed) {
	for (const c of signed)
		holds("a PSKT of ours loads in the SDK, with its id", c.doc,
		    sdkRead(c.doc).toSigner().calculateId().toString(),
		    transactionId(c.doc));
	// It gives integers back as JavaScript's numbers, or ends the process.
	signed = signed.filter((c) => c.doc.inputs.every((i) =>
	    i.sequence === null || i.sequence < 2n ** 53n));
	const loaded = signed.map((c) => ({ ...c,
	    doc: sdkBack(sdkRead(c.doc)) }));
	inspect(loaded.map((c) => c.doc)).forEach((got, k) => {
		const c = loaded[k];
		holds("and comes back, the same transaction", c.doc,
		    got.error ?? got.pskts[0].transaction_id,
		    transactionId(signed[k].doc));
		if (got.error === undefined)
			compareSignatures({ ...c, doc: signed[k].doc }, got,
			    "and with every signature of ours");
	});
}

// What igra-pskt creates is a PSKT to the SDK.
function created(n) {
	const requests = Array.from({ length: n }, () => {
		const key = one(keys), owners = someKeys(3);
		const redeem = multisig(2, owners.map((k) => k.x));
		const own = address(`0000${p2sh(redeem)}`);
		return { fee_rate: BigInt(1 + below(200)), change_address: own,
		    redeem_scripts: [redeem], outputs: [{ amount: 10n ** 9n,
		    address: address(`0000${p2pk(key.x)}`) }],
		    utxos: Array.from({ length: 1 + below(10) }, (_, index) => ({
			address: own, outpoint: { index: BigInt(index),
			transactionId: randomHex(32) }, utxoEntry: {
			amount: 2n * 10n ** 9n + bigBelow(10n ** 10n),
			scriptPublicKey: `0000${p2sh(redeem)}`,
			blockDaaScore: 5n, isCoinbase: false } })) };
	});
	const docs = lines(tool, ["create", "-l", "--network", NETWORK],
	    requests.map(json)).map((l) => parse(l.startsWith("PSKT") ?
	    Buffer.from(l.slice(4), "hex").toString() : l));
	inspect(docs).forEach((got, k) => holds(
	    "what igra-pskt creates the SDK reads", docs[k],
	    got.error ?? got.pskts[0].transaction_id, docs[k].error ??
	    sdkRead(docs[k]).toSigner().calculateId().toString()));
}

// ECDSA, which the SDK does not sign: noble does, some of it wrongly.
function withEcdsa(n) {
	const made = Array.from({ length: n }, () => {
		const c = makeCase();
		c.want = c.doc.inputs.map((i, k) => {
			const list = c.owners[k].map((key) => key.compressed);
			i.redeemScript = list.length > 1 ?
			    multisigEcdsa(c.m[k], list) : null;
			i.utxoEntry.scriptPublicKey = "0000" + (list.length > 1 ?
			    p2sh(i.redeemScript) : p2pkEcdsa(list[0]));
			return {};
		});
		c.doc.inputs.forEach((i, k) => c.owners[k].forEach((key) => {
			const digest = ecdsaDigest(sighash(c.doc, k));
			const state = one(["valid", "valid", "invalid", "missing"]);
			c.want[k][key.compressed] = state;
			if (state === "invalid")
				digest[below(32)] ^= 1;
			if (state !== "missing")
				i.partialSigs[key.compressed] = { eCDSA: secp256k1
				    .sign(digest, key.secret).toDERHex() };
		}));
		return c;
	});
	inspect(made.map((c) => c.doc)).forEach((got, k) => {
		const c = made[k];
		holds("ECDSA: igra-pskt reads it", c.doc, got.error ?? "yes",
		    "yes");
		if (got.error !== undefined)
			return;
		got.pskts[0].inputs.forEach((i, at) => {
			for (const key of i.keys)
				holds(`ECDSA by noble: ${
				    c.want[at][key.public_key]}`, c.doc,
				    key.signature, c.want[at][key.public_key]);
			holds("ECDSA: addresses are the SDK's", c.doc, i.address,
			    address(c.doc.inputs[at].utxoEntry.scriptPublicKey));
		});
	});
}

const cases = Array.from({ length: COUNT }, makeCase);
const bySdk = cases.filter((c) => c.forSdk).map(copy);
bySdk.forEach(sdkSigns);
inspect(bySdk.map((c) => c.doc)).forEach((got, k) => {
	compareInspected(bySdk[k], got);
	compareSignatures(bySdk[k], got, "the SDK signs, we verify");
});
cases.forEach(compareScripts);
inspect(cases.map((c) => c.doc)).forEach((got, k) =>
    compareInspected(cases[k], got));
const byUs = oursSigns(cases);
byUs.forEach((text, k) => compareSigned(cases[k], text));
throughSdk(cases.flatMap((c, k) => c.forSdk && !byUs[k].startsWith("error") ?
    [{ ...c, doc: parse(byUs[k]) }] : []));
created(Math.ceil(COUNT / 20));
withEcdsa(Math.ceil(COUNT / 10));
report();
process.exit(failed ? 1 : 0);
