// The portal's pages in Chromium against the invented hub of tests/fakes/portal_hub.mjs: every state by itself, errors,
// and what holds for all pages. The journeys on the real hub are in other files.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { words } from '../../src/web/static/words.mjs';
import {
	AXE, SHOTS, cern, forget, heading, hub, lastChoice, oom, open, page, problems, role, text,
} from './lib/portal_page.mjs';

const WEB = new URL('../../src/web/', import.meta.url);

// ---- every state: accessible, narrow and wide, dark and light -----------------------------------------
const STATES = {
	'sign-in': ['/hub/login', words.signIn.title('Cygnet'), () => { hub.state.signedIn = false; }],
	'sign-in-down': ['/hub/login', words.signIn.title('SWAN'), () => {
		hub.state.signedIn = false;
		Object.assign(hub.state.site, { name: 'SWAN', accent: '#ffcc00', development: false, providers: [cern], help_url: '/help', status_url: '/status', privacy_url: '/privacy' });
	}],
	'home-first': ['/hub/home', words.home.title, () => {}],
	'home-ended': ['/hub/home', words.home.title, () => { lastChoice(); hub.state.lastEnd = oom; }],
	form: ['/hub/spawn', words.form.title, () => { lastChoice(); hub.state.site.help_url = '/help'; }],
	running: ['/hub/home', words.home.running, () => { hub.state.server = hub.record('running'); }],
	stopping: ['/hub/home', words.home.stopping[0], () => { hub.state.server = hub.record('stopping'); }],
	pending: ['/hub/home', words.home.pending, () => { hub.state.server = hub.record('starting'); }],
	starting: ['/hub/spawn-pending/alice', words.start.title, () => { hub.state.hangStage = 'agent'; hub.start(); }],
	failed: ['/hub/spawn-pending/alice', words.end.start_failed[0], () => {
		hub.state.failStage = 'setup';
		Object.assign(hub.state.site, { isolation: 'process', isolation_message: 'No isolation: servers are plain processes.' });
		hub.start();
	}],
	403: ['/hub/error/403', words.e403[0], () => {}],
	404: ['/hub/nothing', words.e404[0], () => {}],
	424: ['/user/alice/lab', words.e424[0], lastChoice],
	502: ['/hub/error/502?url=/user/alice/lab', words.e502[0], () => {}],
	503: ['/hub/error/503', words.e503[0], () => {}],
	leave: ['/hub/logout', words.leave[0], () => {}],
	spark: ['/hub/spark', words.spark.page, () => { hub.state.server = hub.record('running'); }],
};

for (const [name, [path, title, set]] of Object.entries(STATES)) {
	test(`${name} is accessible and fits, in both themes and all widths`, async () => {
		set();
		await page.goto(path);
		await heading(title);
		if (name === 'starting') await page.locator('.running').getByText('Starting the notebook server').waitFor();
		assert.deepEqual(problems, []);
		forget(); // from here on: the screenshots and axe put styles of their own into the page
		await page.evaluate(AXE);
		for (const width of [320, 390, 720, 1440]) {
			await page.setViewportSize({ width, height: 900 });
			const { scroll, client } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth }));
			assert.ok(scroll <= client, `${width}: ${scroll} is wider than the window`);
			for (const colorScheme of ['light', 'dark']) {
				await page.emulateMedia({ colorScheme });
				if (width === 320 || width === 720) continue;
				await page.screenshot({ path: new URL(`${name}-${width}-${colorScheme}.png`, SHOTS).pathname, fullPage: true });
				const { violations } = await page.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
				assert.deepEqual(violations.map((v) => `${v.impact} ${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`), [], `${width} ${colorScheme}`);
			}
		}
	});
}

// ---- errors and the rest --------------------------------------------------------------------------
test('a page of a stopped server starts it and opens what was asked for', async () => {
	lastChoice();
	await page.goto('/user/alice/lab/tree/analysis.ipynb?reset');
	await heading(words.e424[0]);
	await role('button', words.home.start).click();
	await page.waitForURL('**/user/alice/lab/tree/analysis.ipynb?reset');
	await heading('Here would be JupyterLab');
});

test('a hub that does not answer is told, with a way on', async () => {
	await page.route('**/hub/api/**', (route) => route.abort());
	await page.goto('/hub/home');
	await heading(words.unreachable[0]);
	await page.unroute('**/hub/api/**');
	await role('button', words.tryAgain).click();
	await heading(words.home.title);
	forget((p) => !p.includes('ERR_FAILED'));
});

test('an answer that is an error is told as what it says', async () => {
	await page.route('**/servers/alice/spark', (route) => route.fulfill({ status: 502, json: { status: 502, message: 'The server does not answer.' } }));
	await page.goto('/hub/spark');
	await heading('The server does not answer.');
	await page.unroute('**/servers/alice/spark');
	await role('button', words.tryAgain).click();
	await heading(words.spark.page);
});

test('where people are not kept apart every page says so', async () => {
	hub.state.server = hub.record('running');
	for (const isolation of ['process', 'sandbox-one-uid']) {
		Object.assign(hub.state.site, { isolation, isolation_message: `What ${isolation} means.` });
		for (const path of ['/hub/login', '/hub/home', '/hub/error/404', '/hub/spark']) {
			await page.goto(path);
			await text(`What ${isolation} means.`);
		}
	}
});

test('the theme can be chosen and is kept', async () => {
	await open({ colorScheme: 'light' });
	const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	await page.goto('/hub/home');
	await heading(words.home.title);
	const light = await ground();
	await page.getByLabel(words.theme).selectOption('dark');
	const dark = await ground();
	assert.notEqual(dark, light);
	await page.reload();
	assert.equal(await ground(), dark);
});

test('text on and in the accent is readable whatever the accent', async () => {
	await page.goto('/hub/home');
	await heading(words.home.title);
	const low = await page.evaluate(() => {
		const root = document.documentElement;
		const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
		const probe = document.body.appendChild(document.createElement('i'));
		const luminance = (name) => {
			probe.style.color = `var(${name})`;
			paint.fillStyle = getComputedStyle(probe).color;
			paint.fillRect(0, 0, 1, 1);
			const [r, g, b] = [...paint.getImageData(0, 0, 1, 1).data].map((c) => (c <= 10 ? c / 3294 : ((c / 255 + 0.055) / 1.055) ** 2.4));
			return 0.2126 * r + 0.7152 * g + 0.0722 * b;
		};
		const contrast = (a, b) => {
			const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
			return (high + 0.05) / (low + 0.05);
		};
		const bad = [];
		for (const theme of ['light', 'dark']) {
			root.dataset.theme = theme;
			for (let code = 0; code < 4096; code += 7) {
				const accent = `#${[8, 4, 0].map((shift) => ((code >> shift) & 15).toString(16).repeat(2)).join('')}`;
				root.style.setProperty('--site', accent);
				for (const [ink, ground] of [['--on-accent', '--accent'], ['--link', '--surface'], ['--link', '--bg'], ['--link', '--sunken']]) {
					if (contrast(ink, ground) < 4.5) bad.push(`${theme} ${accent} ${ink} on ${ground}: ${contrast(ink, ground).toFixed(2)}`);
				}
			}
		}
		return bad;
	});
	assert.deepEqual(low, []);
});

test('the Spark page says which value came from where and shows no secret', async () => {
	await page.goto('/hub/spark');
	await role('row', /^spark\.authenticate\.secret set \(hidden\) the site’s rules/).waitFor();
	await role('row', /shuffle\.partitions 16 instead of 200 \(the cluster\) instead of 64 \(the site\) the notebook/).waitFor();
	assert.equal(await page.locator('tbody tr').count(), 6);
	hub.state.spark = null;
	await page.reload();
	await heading(words.spark.none[0]);
});

test('without JavaScript every page says so kindly', async () => {
	await open({ javaScriptEnabled: false });
	await page.goto('/hub/error/403');
	await text(words.e403[1]);
	for (const path of ['/hub/login', '/hub/home', '/hub/spawn-pending/alice', '/hub/spark']) {
		await page.goto(path);
		assert.ok(await page.locator('noscript').isVisible(), path);
		assert.equal(await page.locator('noscript').innerText(), words.noScript);
	}
});

test('the sentences in the HTML files are those of words.mjs', async () => {
	const titles = { 'login.html': words.signIn.page, 'home.html': words.home.page, 'starting.html': words.start.page, 'spark.html': words.spark.page };
	for (const code of [403, 404, 424, 502, 503]) titles[`error-${code}.html`] = words[`e${code}`][0];
	const files = (await readdir(WEB)).filter((name) => name.endsWith('.html'));
	assert.deepEqual(files.sort(), Object.keys(titles).sort());
	for (const name of files) {
		const html = await readFile(new URL(name, WEB), 'utf8');
		const code = /^error-(\d+)/.exec(name)?.[1];
		assert.ok(html.includes(`<title>${titles[name]}</title>`), name);
		assert.equal(html.includes(`<noscript>${words.noScript}</noscript>`), !code, name);
		assert.ok(!/<script(?![^>]* src="\$HUB\/static\/)|<style|style=| on\w+=|https?:/.test(html), `${name}: inline, or another host`);
		if (code) assert.ok(html.includes(`<h1>${words[`e${code}`][0]}</h1>`) && html.includes(`<p>${words[`e${code}`][1]}</p>`) && html.includes("data-again") === /50[23]/.test(code), name);
	}
});

test('the whole portal is under 60 KB', async () => {
	let total = 0;
	for (const name of await readdir(WEB, { recursive: true, withFileTypes: true })) {
		if (name.isFile() && /\.(html|css|m?js|svg)$/.test(name.name)) total += (await readFile(`${name.parentPath ?? name.path}/${name.name}`)).length;
	}
	assert.ok(total < 60 * 1024, `${total} bytes`);
});
