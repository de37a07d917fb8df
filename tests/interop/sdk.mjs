// The Kaspa SDK, loaded into Node.  The package is made for bundlers: its
// kaspa.js is a module in a file that Node takes for CommonJS, and finds its
// WebAssembly by the bundler's means.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { webcrypto } from "node:crypto";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

// Node 18 has it, but not as a global.
globalThis.crypto ??= webcrypto;

async function load() {
	const require = createRequire(import.meta.url);
	const script = require.resolve("@onekeyfe/kaspa-wasm/kaspa.js");
	const dir = mkdtempSync(join(tmpdir(), "kaspa-sdk."));
	try {
		const copy = join(dir, "kaspa.mjs");
		writeFileSync(copy, readFileSync(script));
		const sdk = await import(pathToFileURL(copy));
		sdk.initSync({ module:
		    readFileSync(join(dirname(script), "kaspa_bg.wasm.bin")) });
		return sdk;
	} finally {
		rmSync(dir, { recursive: true });
	}
}

export default await load();
