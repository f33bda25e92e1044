// The portal's pages in Chromium: signing in, a server that starts, one that runs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAST } from '../fakes/portal_hub.mjs';
import { words } from '../../src/web/static/words.mjs';
import {
	CEILING, cern, copied, focused, heading, hub, oom, open, page, problems, role, tabTo, text,
} from './lib/portal_page.mjs';

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
