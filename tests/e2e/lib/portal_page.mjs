// What the tests of the portal's pages share: the invented hub of tests/fakes/portal_hub.mjs and a page in Chromium
// before each test, and no problem in the console, the page or the network after it. playwright-core and axe-core are
// found in the folder E2E_PREFIX, or on NODE_PATH.
import assert from 'node:assert/strict';
import { readFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, afterEach, before, beforeEach } from 'node:test';
import { LAST, LAST_LINE, startPortalHub } from '../../fakes/portal_hub.mjs';

const require = createRequire(process.env.E2E_PREFIX ? `${process.env.E2E_PREFIX}/package.json` : import.meta.url);
const { chromium } = require('playwright-core');
export const AXE = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');
export const SHOTS = new URL('../../../build/screenshots/portal/', import.meta.url);
export const CEILING = Number(process.env.CEILING_MS ?? 120_000);
const ARGS = [
	'--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
	'--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
];

export let hub, page, problems;
let url, close, browser, context;

before(async () => {
	({ hub, url, close } = await startPortalHub());
	browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGS });
	await mkdir(SHOTS, { recursive: true });
});
after(async () => {
	await browser?.close();
	await close?.();
});

beforeEach(async () => {
	hub.reset();
	await open();
});
afterEach(async (t) => {
	if (page && t.passed === false) await page.screenshot({ path: new URL(`failed-${t.name.replace(/\W+/g, '-')}.png`, SHOTS).pathname });
	await context.close();
	assert.deepEqual(problems, []);
});

/** A new context and page; whatever the console, the page or another host's request says is a problem. */
export async function open(options = {}) {
	await context?.close();
	const own = (problems = []);
	context = await browser.newContext({ viewport: { width: 1440, height: 900 }, baseURL: url, ...options });
	context.setDefaultTimeout(CEILING);
	page = await context.newPage();
	page.on('pageerror', (err) => own.push(String(err)));
	page.on('console', (message) => message.type() === 'error' && !/status of [45]/.test(message.text()) && own.push(message.text()));
	page.on('request', (request) => request.url().startsWith(url) || own.push(`asked ${request.url()}`));
}

export const lastChoice = () => Object.assign(hub.state.form, { last: { ...LAST }, last_line: LAST_LINE });
export const role = (name, text, more) => page.getByRole(name, { name: text, ...more });
export const heading = (text) => role('heading', text, { level: 1, exact: true }).waitFor();
export const text = (wanted) => page.getByText(wanted).first().waitFor();
export const focused = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.name);
export const copied = () => page.evaluate(() => navigator.clipboard.readText());

/** Drops the problems that are not to be kept, and all that come to this page later. */
export function forget(keep = () => false) {
	problems = problems.filter(keep);
}

/** Tabs until `locator` has focus, as a user without a mouse would. */
export async function tabTo(locator) {
	for (let presses = 0; presses < 60; presses++) {
		if (await locator.evaluate((el) => el === document.activeElement)) return;
		await page.keyboard.press('Tab');
	}
	assert.fail(`Tab never reached ${locator}`);
}

/** A server that ended for want of memory, and a provider that is down. */
export const oom = { server: '', at: '2026-01-02T03:04:05Z', cause: 'oom', message: '4.0 of 4 GB were used by analysis.ipynb.', lines: ['oom_kill 1'] };
export const cern = { id: 'cern', label: 'CERN', kind: 'oidc', url: '/hub/oauth_login?provider=cern', down_since: '2026-01-02T03:04:05Z', message: 'It answers with 503.' };
