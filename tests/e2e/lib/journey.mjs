// A journey is a test in a browser: it gets a fresh page, and what it needs to see why it failed is kept.
//
//   journey('a person signs in', async ({ page, shot, cleanup }) => { ... await shot('signed-in'); });
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { CEILING, SCREENSHOTS, logFile, pack, packFile } from './places.mjs';

const ARGS = [
	'--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
	'--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--disable-default-apps',
];

export async function launch(options = {}) {
	const { chromium } = await pack('playwright-core');
	return chromium.launch({
		executablePath: '/usr/bin/chromium',
		args: [...ARGS, ...(process.getuid() === 0 ? ['--no-sandbox'] : [])],
		timeout: CEILING,
		...options,
	});
}

// Notes what a page says and asks for; seen.errors are uncaught exceptions, seen.failed requests that got no
// response or a 5xx, seen.elsewhere the requests to any other host than the page's own.
export function watch(page) {
	const seen = { console: [], errors: [], failed: [], elsewhere: [], websockets: 0, requests: 0 };
	const own = (url) => ['localhost', '127.0.0.1'].includes(url.hostname) || url.hostname.endsWith('.localhost');
	page.on('console', (message) => seen.console.push(`${message.type()}: ${message.text()}`));
	page.on('pageerror', (error) => seen.errors.push(error.stack ?? String(error)));
	page.on('requestfailed', (request) => seen.failed.push(`${request.method()} ${request.url()} ${request.failure()?.errorText}`));
	page.on('response', (response) => response.status() >= 500 && seen.failed.push(`${response.status()} ${response.url()}`));
	page.on('websocket', () => seen.websockets++);
	page.on('request', (request) => {
		seen.requests++;
		const url = new URL(request.url());
		if (url.protocol.startsWith('http') && !own(url)) seen.elsewhere.push(url.href);
	});
	return seen;
}

export async function screenshot(page, name) {
	mkdirSync(SCREENSHOTS, { recursive: true });
	const file = path.join(SCREENSHOTS, `${name}.png`);
	await page.screenshot({ path: file });
	return file;
}

async function dump(context, name, seen, error) {
	const file = logFile(`${name}.failure.txt`);
	const parts = [`${error.stack ?? error}`];
	for (const [index, page] of context.pages().entries()) {
		parts.push(`page ${index}: ${page.url()}`, await page.content().catch(String));
		await screenshot(page, `FAILED-${name}-${index}`).catch(() => {});
	}
	writeFileSync(file, `${parts.join('\n\n')}\n\n${JSON.stringify(seen, null, 1)}\n`);
	console.error(`what was on the page: ${file}, build/screenshots/FAILED-${name}-*.png`);
}

// options: { viewport, colorScheme, only, skip, timeout, context: {...more for newContext} }
export function journey(title, run, { timeout = 3 * CEILING, context: more = {}, viewport, colorScheme, ...rest } = {}) {
	const name = title.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, 60);
	test(title, { timeout, ...rest }, async (t) => {
		const ends = [];
		const cleanup = (end) => ends.unshift(end);
		let failure;
		try {
			const browser = await launch();
			cleanup(() => browser.close());
			const context = await browser.newContext({ viewport: viewport ?? { width: 1440, height: 900 }, colorScheme, ...more });
			context.setDefaultTimeout(CEILING);
			const page = await context.newPage();
			const seen = watch(page);
			try {
				await run({ t, browser, context, page, seen, cleanup, shot: (step, of = page) => screenshot(of, step) });
			} catch (error) {
				await dump(context, name, seen, error);
				throw error;
			}
		} catch (error) {
			failure = error;
		}
		// Everything is ended even when one end fails; the first failure is the one that counts.
		for (const end of ends) {
			try {
				await end();
			} catch (error) {
				failure ??= error;
			}
		}
		if (failure) throw failure;
	});
}

// What axe-core holds against the page, or what `within` selects of it: serious and critical only, as readable lines.
export async function accessibility(page, within = null) {
	// Evaluated, not added as a script element: a strict content policy refuses those.
	await page.evaluate(readFileSync(packFile('axe-core'), 'utf8'));
	const { violations } = await page.evaluate((of) => globalThis.axe.run(of ?? document, { resultTypes: ['violations'] }), within);
	return violations
		.filter((one) => ['serious', 'critical'].includes(one.impact))
		.map((one) => `${one.id} (${one.impact}): ${one.help}: ${one.nodes.map((node) => node.target.join(' ')).join('; ')}`);
}
