// The portal's pages in Chromium against the invented hub of tests/fakes/portal_hub.mjs: what people see and
// can do in every state, by keyboard, narrow and wide, dark and light. The journeys on the real hub are in
// other files. playwright-core and axe-core are found in the folder E2E_PREFIX, or on NODE_PATH.
import assert from 'node:assert/strict';
import { readdir, readFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { LAST, LAST_LINE, startPortalHub } from '../fakes/portal_hub.mjs';
import { words } from '../../src/web/static/words.mjs';

const require = createRequire(process.env.E2E_PREFIX ? `${process.env.E2E_PREFIX}/package.json` : import.meta.url);
const { chromium } = require('playwright-core');
const AXE = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');
const SHOTS = new URL('../../build/screenshots/portal/', import.meta.url);
const WEB = new URL('../../src/web/', import.meta.url);
const CEILING = Number(process.env.CEILING_MS ?? 120_000);
const ARGS = [
	'--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
	'--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
];

let hub, url, close, browser, context, page, problems;

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
async function open(options = {}) {
	await context?.close();
	const own = (problems = []);
	context = await browser.newContext({ viewport: { width: 1440, height: 900 }, baseURL: url, ...options });
	context.setDefaultTimeout(CEILING);
	page = await context.newPage();
	page.on('pageerror', (err) => own.push(String(err)));
	page.on('console', (message) => message.type() === 'error' && !/status of [45]/.test(message.text()) && own.push(message.text()));
	page.on('request', (request) => request.url().startsWith(url) || own.push(`asked ${request.url()}`));
}

const lastChoice = () => Object.assign(hub.state.form, { last: { ...LAST }, last_line: LAST_LINE });
const role = (name, text, more) => page.getByRole(name, { name: text, ...more });
const heading = (text) => role('heading', text, { level: 1, exact: true }).waitFor();
const text = (wanted) => page.getByText(wanted).first().waitFor();
const focused = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.name);
const copied = () => page.evaluate(() => navigator.clipboard.readText());

/** Tabs until `locator` has focus, as a user without a mouse would. */
async function tabTo(locator) {
	for (let presses = 0; presses < 60; presses++) {
		if (await locator.evaluate((el) => el === document.activeElement)) return;
		await page.keyboard.press('Tab');
	}
	assert.fail(`Tab never reached ${locator}`);
}

// ---- every state: accessible, narrow and wide, dark and light -----------------------------------------
const oom = { server: '', at: '2026-01-02T03:04:05Z', cause: 'oom', message: '4.0 of 4 GB were used by analysis.ipynb.', lines: ['oom_kill 1'] };
const cern = { id: 'cern', label: 'CERN', kind: 'oidc', url: '/hub/oauth_login?provider=cern', down_since: '2026-01-02T03:04:05Z', message: 'It answers with 503.' };
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
		problems = []; // from here on: the screenshots and axe put styles of their own into the page
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

// ---- sign-in --------------------------------------------------------------------------------------
test('a person signs in, starts, and is in JupyterLab by keyboard alone', async () => {
	hub.state.signedIn = false;
	await page.goto('/hub/home');
	await heading(words.signIn.title('Cygnet'));
	await page.locator('#username:focus').waitFor();
	await page.keyboard.type('alice');
	await page.keyboard.press('Tab');
	await page.keyboard.type('swan');
	await page.keyboard.press('Enter');
	await heading(words.home.title);
	for (const line of words.home.teach) await text(line);
	await tabTo(role('button', words.home.start));
	await page.keyboard.press('Enter');
	await page.waitForURL('**/hub/spawn-pending/alice');
	await page.waitForURL('**/user/alice/lab');
	assert.deepEqual(hub.state.posts, [{ user_options: { ...LAST, cluster: null } }]);
	await page.goBack();
	await heading(words.home.running);
});

test('a wrong password is told and the password can be typed again', async () => {
	hub.state.signedIn = false;
	await page.goto('/hub/login');
	await page.getByLabel(words.signIn.name).fill('alice');
	await page.getByLabel(words.signIn.password).fill('goose');
	await page.keyboard.press('Enter');
	await text('Name or password is not right.');
	assert.equal(await focused(), 'password');
	await page.keyboard.type('swan');
	await page.keyboard.press('Enter');
	await heading(words.home.title);
});

test('next leads only to a path of this site', async () => {
	for (const next of ['https://evil.example/', '//evil.example', '/\\evil.example', '/%09/evil.example'.replace('%09', '\t'), 'javascript:alert(1)']) {
		hub.state.signedIn = false;
		await page.goto(`/hub/login?next=${encodeURIComponent(next)}`);
		await page.getByLabel(words.signIn.name).fill('alice');
		await page.getByLabel(words.signIn.password).fill('swan');
		await page.keyboard.press('Enter');
		await page.waitForURL('**/hub/home');
	}
});

test('a provider that is down is told with the time, and its button stays', async () => {
	hub.state.signedIn = false;
	hub.state.site.providers = [{ ...cern }];
	await page.goto('/hub/login?next=%2Fuser%2Falice%2Flab');
	await page.getByText('CERN does not answer since 2 Jan').waitFor();
	await text(words.signIn.downNow);
	assert.equal(await role('link', words.signIn.with('CERN')).getAttribute('href'), '/hub/oauth_login?provider=cern&next=%2Fuser%2Falice%2Flab');
});

test('signing out leads to the sign-in', async () => {
	await page.goto('/hub/home');
	await role('button', words.signOut).click();
	await heading(words.signIn.title('Cygnet'));
	assert.equal(hub.state.signedIn, false);
});

test('JupyterLab’s “Log Out” leads to a page that asks', async () => {
	await page.goto('/hub/logout');
	await heading(words.leave[0]);
	await page.locator('main').getByRole('button', { name: words.signOut }).click();
	await heading(words.signIn.title('Cygnet'));
	assert.equal(hub.state.signedIn, false);
});

test('a refused sign-in asks for its sentence and for nothing else', async () => {
	hub.state.signedIn = false;
	const asked = page.waitForRequest((request) => request.url().includes('/hub/api/') && !request.url().endsWith('/site'));
	await page.goto(`/hub/login?error=${encodeURIComponent('../../../user/alice/files/words.json')}`);
	assert.match((await asked).url(), /\/hub\/api\/cygnet\/refusals\/[^/]+$/);
});

// ---- home and form --------------------------------------------------------------------------------
test('the last choice starts with one click', async () => {
	lastChoice();
	await page.goto('/hub/home');
	await role('button', words.home.start).click();
	await page.waitForURL('**/user/alice/lab');
	assert.deepEqual(hub.state.posts, [{ user_options: LAST }]);
});

test('the one-click choice names a script and packages of one’s own', async () => {
	Object.assign(hub.state.form, { last: { ...LAST, user_script: 'setup.sh', home_packages: true }, last_line: LAST_LINE });
	await page.goto('/hub/home');
	await text(words.join([LAST_LINE.replaceAll(/(\d) /g, '$1\u00a0'), ...words.form.own]));
});

test('the form has an address, closes with Back, and gives what was chosen', async () => {
	lastChoice();
	await page.goto('/hub/home');
	await role('button', words.home.change).click();
	await heading(words.form.title);
	assert.equal(await focused(), words.form.title);
	assert.equal(new URL(page.url()).pathname, '/hub/spawn');
	await page.goBack();
	await heading(words.home.title);
	await page.goForward();
	await page.reload();
	await heading(words.form.title);
	await role('radio', '4 cores').check();
	await role('radio', '8 GB').check();
	await role('radio', words.form.none).check();
	await page.getByLabel(words.form.user_script[0]).fill(' setup.sh ');
	await role('checkbox', words.form.home_packages[0]).check();
	await page.getByLabel(words.form.file[0]).fill('~/My plots/a#1.ipynb');
	await role('button', words.home.start).click();
	await page.waitForURL('**/user/alice/lab/tree/My%20plots/a%231.ipynb');
	assert.deepEqual(hub.state.posts, [{ user_options: { ...LAST, cores: 4, memory_mb: 8192, cluster: null, user_script: 'setup.sh', home_packages: true } }]);
});

test('the address that JupyterHub has for the form shows it', async () => {
	lastChoice();
	await page.goto('/hub/spawn/alice');
	await heading(words.form.title);
});

test('what was chosen but not started is kept by Reload and by Back and Forward', async () => {
	lastChoice();
	hub.state.form.last.home_packages = true;
	await page.goto('/hub/home');
	await role('button', words.home.change).click();
	await role('radio', '4 cores').check();
	await role('checkbox', words.form.home_packages[0]).uncheck();
	await page.getByLabel(words.form.file[0]).fill('x.ipynb');
	await page.keyboard.press('Tab');
	for (const leave of [() => page.reload(), async () => { await page.goBack(); await heading(words.home.title); await page.goForward(); }]) {
		await leave();
		await heading(words.form.title);
		assert.ok(await role('radio', '4 cores').isChecked());
		assert.ok(!(await role('checkbox', words.form.home_packages[0]).isChecked()));
		assert.equal(await page.getByLabel(words.form.file[0]).inputValue(), 'x.ipynb');
	}
});

test('choices that depend on another follow at once and keep the focus', async () => {
	lastChoice();
	await page.goto('/hub/spawn');
	await role('radio', '2025b').focus();
	await page.keyboard.press('Space');
	await text(words.form.noSpark);
	assert.ok(await role('radio', 'nxcals').isDisabled());
	assert.equal(await page.evaluate(() => document.activeElement.value), '2025b');
	await page.locator('.line', { hasText: '2025b · Python · ' }).waitFor();
	await page.keyboard.press('ArrowUp');
	await role('radio', 'nxcals').and(page.locator(':enabled')).waitFor();
	assert.equal(await page.evaluate(() => document.activeElement.value), '2026a');
	await tabTo(page.getByLabel(words.form.user_script[0]));
	await page.keyboard.type('setup.sh');
	await page.keyboard.press('Tab');
	assert.equal(await page.evaluate(() => document.activeElement.name), 'file');
	await role('radio', 'Course', { exact: true }).check();
	await role('radio', 'course-2026').waitFor();
	assert.equal(await page.getByLabel(words.form.user_script[0]).count(), 0);
});

test('platforms are told where there is more than one', async () => {
	const { stacks } = hub.state.form.profiles[0];
	for (const one of stacks) one.platform = 'x86_64-el9';
	await page.goto('/hub/spawn');
	await heading(words.form.title);
	assert.equal(await page.getByText('x86_64-el9').count(), 0);
	stacks[1].platform = 'aarch64-el9';
	await page.reload();
	await text('aarch64-el9');
});

test('a profile brings its usual cluster with it', async () => {
	lastChoice();
	Object.assign(hub.state.form.last, { cluster: null });
	const [, course] = hub.state.form.profiles;
	course.stacks[0].spark = '4.2.0';
	course.clusters = structuredClone(hub.state.form.profiles[0].clusters).slice(0, 1).map((c) => ({ ...c, default: true }));
	await page.goto('/hub/spawn');
	assert.ok(await role('radio', words.form.none).isChecked());
	await role('radio', 'Course', { exact: true }).check();
	await page.locator('.line', { hasText: words.form.onCluster('in my server') }).waitFor();
	assert.ok(await role('radio', 'in my server').isChecked());
	await role('radio', words.form.none).check();
	await role('button', words.home.start).click();
	await page.waitForURL('**/user/alice/lab');
	assert.equal(hub.state.posts[0].user_options.cluster, null);
});

test('what cannot be had is greyed with its reason', async () => {
	await page.goto('/hub/spawn');
	await text('Needs the group testers.');
	assert.ok(await role('radio', 'nightly').isDisabled());
	assert.ok(await role('radio', 'analytix').isDisabled());
});

test('a link to a choice fills the form, and says so if not all of it is offered', async () => {
	await open({ permissions: ['clipboard-read', 'clipboard-write'] });
	await page.goto('/hub/spawn');
	await role('radio', '16 GB').check();
	await page.getByLabel(words.form.file[0]).fill('x.ipynb');
	await role('button', words.form.copyLink).click();
	await text(words.copied);
	await page.goto(await copied());
	assert.ok(await role('radio', '16 GB').isChecked());
	assert.equal(await page.getByLabel(words.form.file[0]).inputValue(), 'x.ipynb');
	assert.equal(await page.getByText(words.home.gone).count(), 0);
	await page.goto('/hub/spawn?stack=2019x&cores=4');
	await text(words.home.gone);
	assert.ok(await role('radio', '4 cores').isChecked());
	assert.deepEqual(hub.state.posts, []);
});

test('an answer that the hub refuses is pointed at', async () => {
	hub.state.refuse = { status: 400, message: 'This memory is not offered any more.', cygnet: { field: 'memory_mb' } };
	await page.goto('/hub/spawn');
	await role('button', words.home.start).click();
	await page.getByRole('alert').filter({ hasText: 'not offered any more' }).waitFor();
	assert.equal(await page.evaluate(() => document.activeElement.name), 'memory_mb');
});

test('a start that the hub refuses is told at the button', async () => {
	lastChoice();
	hub.state.refuse = { status: 429, message: 'Too many servers are starting. Try again in a minute.' };
	await page.goto('/hub/home');
	await role('button', words.home.start).click();
	await text('Too many servers are starting.');
	await role('button', words.home.start).waitFor();
});

test('a last choice that is gone is not started silently', async () => {
	lastChoice();
	hub.state.form.last.stack = '2019x';
	await page.goto('/hub/home');
	await text(words.home.gone);
});

test('the last end of a server stays until it is dismissed', async () => {
	hub.state.lastEnd = oom;
	await page.goto('/hub/home');
	await text(words.end.oom[0]);
	await page.reload();
	await text('4.0 of 4 GB were used by analysis.ipynb.');
	await role('button', words.dismiss).click();
	await page.getByText(words.end.oom[0]).waitFor({ state: 'detached' });
	assert.equal(await focused(), words.home.title);
	await page.reload();
	await heading(words.home.title);
	assert.equal(await page.getByText(words.end.oom[0]).count(), 0);
	assert.equal(hub.state.dismissed, 1);
});

test('nobody who is offered nothing is left without a sentence', async () => {
	hub.state.form.profiles = [];
	await page.goto('/hub/home');
	await text(words.home.nothing[1]);
});

// ---- starting -------------------------------------------------------------------------------------
test('a reload of the starting page keeps the stages, once each', async () => {
	hub.state.hangStage = 'agent';
	hub.start();
	await page.goto('/hub/spawn-pending/alice');
	const running = page.locator('.running').getByText('Starting the notebook server');
	await running.waitFor();
	await page.reload();
	await running.waitFor();
	assert.equal(await page.locator('.stages > li').count(), 6);
	assert.equal(await page.locator('.stages > .done').count(), 3);
	assert.ok(Number(await role('progressbar', words.start.bar).getAttribute('aria-valuenow')) > 30);
});

test('a stage of which nobody knows how long it takes does not fill the bar', async () => {
	Object.assign(hub.state, { hangStage: 'answer', unknownStage: 'answer' });
	hub.start();
	await page.goto('/hub/spawn-pending/alice');
	await page.locator('.running').getByText('Waiting for its first response').waitFor();
	await text(words.start.soFar(1000).slice(3));
	const part = Number(await role('progressbar', words.start.bar).getAttribute('aria-valuenow'));
	assert.ok(part > 50 && part < 95, String(part));
});

test('a connection that breaks is told and taken up again', async () => {
	hub.state.hangStage = 'agent';
	hub.start();
	await page.goto('/hub/spawn-pending/alice');
	await page.locator('.running').getByText('Starting the notebook server').waitFor();
	for (const stream of hub.streams) stream.destroy();
	await text(words.start.lost);
	await page.getByText(words.start.lost).waitFor({ state: 'detached' });
	assert.equal(await page.locator('.stages > li').count(), 6);
	assert.match(problems.splice(0).join(), /INCOMPLETE_CHUNKED/);
	hub.finish();
	await page.waitForURL('**/user/alice/lab');
});

test('a failed start says where and why, opens the stage, and gives a report without secrets', async () => {
	await open({ permissions: ['clipboard-read', 'clipboard-write'] });
	Object.assign(hub.state, { failStage: 'setup' });
	hub.start();
	await page.goto('/hub/spawn-pending/alice?next=%2Fuser%2Falice%2Flab%2Ftree%2Fx.ipynb');
	await heading(words.end.start_failed[0]);
	assert.equal(await focused(), words.end.start_failed[0]);
	await text('ended with code 127');
	assert.ok(await page.getByText('bin/activate: No such file').isVisible());
	await role('button', words.copyReport).click();
	await text(words.copied);
	const report = await copied();
	for (const wanted of ['alice', 'failed 900 ms', 'exit code 127']) assert.match(report, new RegExp(wanted));
	hub.state.failStage = null;
	await role('button', words.tryAgain).click();
	await page.waitForURL('**/user/alice/lab/tree/x.ipynb');
});

test('a report hides what looks like a secret', async () => {
	await open({ permissions: ['clipboard-read', 'clipboard-write'] });
	const token = 'a1b2c3d4'.repeat(8);
	hub.state.lastEnd = { ...oom, lines: [`token=hunter2`, `got ${token}`, 'harmless'] };
	await page.goto('/hub/home');
	await role('button', words.copyReport).click();
	await text(words.copied);
	const report = await copied();
	assert.match(report, /harmless/);
	assert.doesNotMatch(report, /hunter2|a1b2c3d4/);
	await page.locator('summary').click();
	assert.doesNotMatch(await page.locator('pre').textContent(), /hunter2|a1b2c3d4/);
});

test('a start can be cancelled, and that is no failure', async () => {
	let letGo;
	Object.assign(hub.state, { hangStage: 'setup', stopGate: new Promise((resolve) => (letGo = resolve)) });
	hub.start();
	await page.goto('/hub/spawn-pending/alice');
	await page.locator('.running').getByText('Setting up').waitFor();
	await page.evaluate(() => new MutationObserver(() => {
		sessionStorage.titles = `${sessionStorage.titles ?? ''}|${document.querySelector('h1')?.textContent}`;
	}).observe(document.querySelector('main'), { childList: true, subtree: true, characterData: true }));
	await role('button', words.cancel).click();
	await text(words.start.cancelling);
	// By now the stream has told of the end, and the request is still unanswered.
	for (const end = Date.now() + CEILING; hub.streams.size > 0 && Date.now() < end;) await new Promise((resolve) => setTimeout(resolve, 20));
	letGo();
	await heading(words.home.title);
	assert.equal(hub.state.server, null);
	const titles = await page.evaluate(() => sessionStorage.titles.split('|'));
	assert.ok(titles.includes(words.start.title), String(titles));
	assert.ok(!titles.includes(words.end.start_failed[0]), String(titles));
});

test('a start that another window cancelled is said to be that', async () => {
	hub.state.hangStage = 'setup';
	hub.start();
	await page.goto('/hub/spawn-pending/alice');
	await page.locator('.running').getByText('Setting up').waitFor();
	await hub.stop();
	await text('The start was cancelled.');
	assert.equal(await page.getByText(words.end.failedAt('')).count(), 0);
});

test('a starting page of nothing says so', async () => {
	await page.goto('/hub/spawn-pending/alice');
	await heading(words.start.none[0]);
});

test('stages are announced, and nothing moves when motion is reduced', async () => {
	await open({ reducedMotion: 'reduce' });
	hub.state.hangStage = 'agent';
	hub.start();
	await page.goto('/hub/spawn-pending/alice');
	await page.locator('[aria-live=polite]', { hasText: 'Starting the notebook server' }).waitFor();
	assert.deepEqual(await page.evaluate(() => document.getAnimations().length), 0);
});

// ---- running --------------------------------------------------------------------------------------
test('stop does not ask while no kernel works', async () => {
	hub.state.server = hub.record('running');
	await page.goto('/hub/home');
	await text('1.4\u00a0GB of 4\u00a0GB');
	await role('button', words.home.stop).click();
	await heading(words.home.title);
	await text(words.home.stopped);
	assert.equal(await focused(), words.home.title);
	assert.equal(hub.state.server, null);
});

test('stop asks while a kernel works, and names it', async () => {
	hub.state.server = hub.record('running');
	hub.state.stat.kernels[0].state = 'busy';
	await page.goto('/hub/home');
	await role('button', words.home.stop).click();
	const dialog = role('dialog', words.home.busyTitle);
	await dialog.getByText('analysis.ipynb').waitFor();
	assert.equal(await focused(), words.home.keep);
	await page.keyboard.press('Escape');
	await dialog.waitFor({ state: 'detached' });
	assert.equal(await focused(), words.home.stop);
	assert.ok(hub.state.server);
	await role('button', words.home.stop).click();
	await role('button', words.home.stopAnyway).click();
	await text(words.home.stopped);
});

test('a server without figures is shown without them', async () => {
	hub.state.server = hub.record('running', { notebook_url: null, spark: false });
	hub.state.stat = null;
	await page.goto('/hub/home');
	assert.equal(await role('link', words.home.openLab).getAttribute('href'), '/user/alice/lab');
	assert.equal(await page.getByText(words.home.memory).count(), 0);
	assert.equal(await role('link', words.home.openNotebook).count(), 0);
	await role('button', words.home.stop).click();
	await text(words.home.stopped);
});

test('a server that is stopping becomes one that is stopped, by itself', async () => {
	hub.state.server = hub.record('stopping');
	await page.goto('/hub/home');
	await heading(words.home.stopping[0]);
	hub.state.server = null;
	await heading(words.home.title);
});

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
	problems = problems.filter((p) => !p.includes('ERR_FAILED'));
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
