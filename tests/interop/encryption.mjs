// Layer 1 (DESIGN 5): the Kaspa SDK reads what we encrypt, and we read what
// it encrypts.  Prints "ok - …" and "not ok - …" lines.
//
//	node encryption.mjs both TOOL VECTORS     the functions, both ways
//	node encryption.mjs encrypt SECRET        a phrase on stdin -> base64
//	node encryption.mjs decrypt SECRET        base64 on stdin -> the phrase
//	node encryption.mjs pubkey PATH PAYMENT   a phrase on stdin -> the
//						  x-only public key
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { schnorr } from "@noble/curves/secp256k1";
import sdk from "./sdk.mjs";

let failed = 0;

function is(what, got, want) {
	if (got === want) {
		console.log(`ok - ${what}`);
		return;
	}
	failed++;
	console.log(`not ok - ${what}`);
	console.error(`    got:  ${JSON.stringify(got)}\n` +
	    `    want: ${JSON.stringify(want)}`);
}

const hex = (text) => Buffer.from(text, "utf8").toString("hex") || "-";

// One run of our tool for all lines.
function ours(tool, verb, pairs) {
	const r = spawnSync(tool, [verb], { encoding: "utf8",
	    input: pairs.map((p) => p.join(" ") + "\n").join("") });
	if (r.status !== 0)
		throw new Error(`${tool} ${verb}: ${r.stderr}`);
	return r.stdout.split("\n").slice(0, -1);
}
const encryptOurs = (tool, cases) => ours(tool, "encrypt",
    cases.map((c) => [hex(c.secret), hex(c.text)]));
const decryptOurs = (tool, cases) => ours(tool, "decrypt",
    cases.map((c) => [hex(c.secret), c.sealed])).map((line) =>
    line.startsWith("error: ") ? line :
    Buffer.from(line, "hex").toString("utf8"));

function decryptSdk(c) {
	try {
		return sdk.decryptXChaCha20Poly1305(c.sealed, c.secret);
	} catch (e) {
		return `error: ${e}`;
	}
}

function makeCases() {
	const odd = ["a", "x".repeat(100), "ünïcode ☃ 密码 🔑", " blanks ",
	    "tab\tand\nline", "é", "e\u0301", "'\"\\$`"];
	const cases = odd.map((secret, i) => ({ name: `odd secret ${i}`,
	    secret, text: sdk.Mnemonic.random(i % 2 ? 12 : 24).phrase }));
	for (let i = 0; i < 4; i++)
		cases.push({ name: `random phrase ${i}`,
		    secret: randomBytes(9 + 6 * i).toString("base64"),
		    text: sdk.Mnemonic.random(i % 2 ? 12 : 24).phrase });
	// Every padding of base64, nothing, and the longest that we take.
	for (const n of [0, 1, 2, 3, 15, 16, 17, 1022, 1023, 1024])
		cases.push({ name: `text of ${n} bytes`, secret: "wallet",
		    text: "t".repeat(n) });
	cases.push({ name: "text in UTF-8", secret: "wallet",
	    text: "これは ünïcode ☃" });
	return cases;
}

function both(tool, vectors) {
	const known = JSON.parse(readFileSync(vectors, "utf8")).map((v, i) => ({
	    name: `vector ${i}`, secret: v.wallet_secret, text: v.plaintext,
	    sealed: v.ciphertext_base64 }));
	decryptOurs(tool, known).forEach((text, i) =>
	    is(`${known[i].name}: we decrypt it`, text, known[i].text));
	for (const c of known)
		is(`${c.name}: the SDK decrypts it`, decryptSdk(c), c.text);

	const cases = [...known, ...makeCases()];
	const byUs = encryptOurs(tool, cases).map((sealed, i) =>
	    ({ ...cases[i], sealed }));
	for (const c of byUs)
		is(`${c.name}: the SDK decrypts ours`, decryptSdk(c), c.text);
	const bySdk = cases.map((c) => ({ ...c,
	    sealed: sdk.encryptXChaCha20Poly1305(c.text, c.secret) }));
	decryptOurs(tool, bySdk).forEach((text, i) =>
	    is(`${cases[i].name}: we decrypt the SDK's`, text, cases[i].text));
	byUs.forEach((c, i) => is(`${c.name}: both have the same length`,
	    c.sealed.length, bySdk[i].sealed.length));

	// Another secret, a changed byte: neither side gives anything.
	const wrong = [];
	for (const c of [...byUs.slice(0, 3), ...bySdk.slice(0, 3)]) {
		wrong.push({ ...c, secret: c.secret + "x",
		    name: `${c.name}, another secret` });
		for (const at of [0, 24, -1]) {
			const b = Buffer.from(c.sealed, "base64");
			b[at < 0 ? b.length + at : at] ^= 1;
			wrong.push({ ...c, sealed: b.toString("base64"),
			    name: `${c.name}, byte ${at} changed` });
		}
	}
	decryptOurs(tool, wrong).forEach((text, i) =>
	    is(`${wrong[i].name}: we refuse it`, text,
	    "error: wrong wallet_secret or damaged encrypted phrase"));
	for (const c of wrong)
		is(`${c.name}: the SDK refuses it`,
		    decryptSdk(c).startsWith("error: "), true);
}

function pubkey(path, payment, phrase) {
	const master = new sdk.XPrv(new sdk.Mnemonic(phrase).toSeed(payment));
	const key = path === "m" ? master : master.derivePath(path);
	return Buffer.from(schnorr.getPublicKey(
	    key.toPrivateKey().toString())).toString("hex");
}

const [verb, ...args] = process.argv.slice(2);
const stdin = () => readFileSync(0, "utf8").trim();
switch (verb) {
case "both":
	both(...args);
	break;
case "encrypt":
	console.log(sdk.encryptXChaCha20Poly1305(stdin(), args[0]));
	break;
case "decrypt":
	console.log(sdk.decryptXChaCha20Poly1305(stdin(), args[0]));
	break;
case "pubkey":
	console.log(pubkey(args[0], args[1], stdin()));
	break;
default:
	console.error("usage: encryption.mjs both|encrypt|decrypt|pubkey …");
	failed = 1;
}
process.exit(failed ? 1 : 0);
