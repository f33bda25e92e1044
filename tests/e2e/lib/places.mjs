// Where things are for the browser journeys: the tree, our programs, caches, logs, and folders to work in.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const FLAVOUR = process.env.FLAVOUR ?? 'release';
export const BIN = path.join(ROOT, 'build', FLAVOUR, 'bin');
export const TEST_BIN = path.join(ROOT, 'build', FLAVOUR, 'test');
export const LOGS = path.join(ROOT, 'build/test-logs/e2e');
export const SCREENSHOTS = path.join(ROOT, 'build/screenshots');

// The one time limit of any wait in a journey; a Spark cluster's start may take JVM_CEILING.
export const CEILING = Number(process.env.CEILING_MS ?? 120_000);
export const JVM_CEILING = 300_000;

// The folder of a cached third-party prefix (tests/support/cache.sh): prefix('jupyter').
export function prefix(name) {
	const script = path.join(ROOT, 'tests/support/cache.sh');
	return execFileSync(script, [name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

const e2eRequire = createRequire(path.join(process.env.E2E_PREFIX ?? prefix('e2e'), 'package.json'));

// A package of the e2e prefix, CommonJS or not: await pack('playwright-core').
export async function pack(name) {
	const found = await import(pathToFileURL(e2eRequire.resolve(name)));
	return found.default ?? found;
}

export const packFile = (name) => e2eRequire.resolve(name);

// A folder with a short path that every uid can walk; gone when the process ends well.
export function makeTmp() {
	const folder = mkdtempSync('/tmp/cyg-');
	chmodSync(folder, 0o755);
	process.on('exit', (code) => code === 0 && rmSync(folder, { recursive: true, force: true }));
	return folder;
}

export function logFile(name) {
	mkdirSync(LOGS, { recursive: true });
	return path.join(LOGS, name);
}
