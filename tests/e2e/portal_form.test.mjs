// The portal's pages in Chromium: home and the start form.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAST, LAST_LINE } from '../fakes/portal_hub.mjs';
import { words } from '../../src/web/static/words.mjs';
import { copied, focused, heading, hub, lastChoice, oom, open, page, role, tabTo, text } from './lib/portal_page.mjs';

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
