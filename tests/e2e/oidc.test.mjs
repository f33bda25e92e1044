// Sign-in at the site's identity provider, a real one (npm oidc-provider): a day's work that begins and ends there,
// somebody outside the group, and the provider's death.
import assert from 'node:assert/strict';
import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { accessibility, journey, watch } from './lib/journey.mjs';
import { newNotebook, openLab, runCell, until } from './lib/lab.mjs';
import { CEILING, ROOT } from './lib/places.mjs';
import { pressed, untilLab, words } from './lib/portal.mjs';
import { start } from './lib/programs.mjs';
import { demoSite } from './lib/site.mjs';

const PORT = 3000;
const HUB = 'http://localhost:8000/';
const LABEL = 'Example University';
const SECRET = 'sesame & open: +1';
const HUB_UID = 199001;

const PROVIDERS = (secret) => `providers:
  - id: uni
    label: ${LABEL}
    issuer: http://127.0.0.1:${PORT}
    client-id: cygnet
    client-secret-file: ${secret}
    scopes: openid profile groups
    groups-claim: resource_access.cygnet.roles
    allowed-groups: [cygnet-users]
    check-interval-ms: 1000
    insecure-loopback: true
`;

function edit(config) {
	const secret = path.join(config, 'uni.secret');
	writeFileSync(secret, SECRET, { mode: 0o600 });
	if (process.getuid() === 0) chownSync(secret, HUB_UID, HUB_UID);
	writeFileSync(path.join(config, 'providers.yaml'), PROVIDERS(secret));
	const hub = path.join(config, 'hub.yaml');
	writeFileSync(hub, `${readFileSync(hub, 'utf8').replace('sign-in: development', 'sign-in: none')}providers: ${config}/providers.yaml\n`);
}

async function startProvider() {
	const program = start('oidc-provider', process.execPath, [path.join(ROOT, 'tests/fakes/oidc_provider.mjs'), String(PORT), HUB, SECRET]);
	await program.waitFor(/provider ready/);
	return program;
}

async function siteWithProvider(cleanup, more) {
	const provider = await startProvider();
	cleanup(() => provider.stop({ status: null }));
	const site = await demoSite({ edit, ...more });
	cleanup(() => site.stop());
	return { site, provider };
}

// From the portal to the provider, through its two pages, and back.
async function signInAs(page, site, name) {
	await page.goto(`${site.url}hub/`);
	await page.getByRole('link', { name: words.signIn.with(LABEL) }).click();
	await page.locator('input[name=login]').fill(name);
	await page.locator('input[name=password]').fill('any');
	await page.locator('button[type=submit]').click();
	await page.getByRole('button', { name: 'Continue' }).click();
	await page.waitForURL(`${site.url}hub/**`);
}

async function toNotebook(page, site) {
	await pressed(page, words.home.start).click();
	await untilLab(page);
	await openLab(page, `${site.url}user/alice/lab`);
	await newNotebook(page, /Python 3/);
	assert.equal((await runCell(page, 'print(6 * 7)')).text, '42');
}

// The WebSockets that the page's present document has open, from the browser's own protocol: Playwright says nothing
// more of those whose document was left, and takes a changed address within a document for a new one.
async function socketsOf(page) {
	const open = new Set();
	const browser = await page.context().newCDPSession(page);
	browser.on('Page.frameNavigated', ({ frame }) => frame.parentId === undefined && open.clear());
	browser.on('Network.webSocketCreated', ({ requestId }) => open.add(requestId));
	browser.on('Network.webSocketClosed', ({ requestId }) => open.delete(requestId));
	await browser.send('Page.enable');
	await browser.send('Network.enable');
	return open;
}

for (const template of ['stock', 'lab']) {
	journey(`a day on ${template} that begins and ends at the identity provider`, async ({ page, context, cleanup, shot }) => {
		const { site } = await siteWithProvider(cleanup, { template });
		const sockets = await socketsOf(page);
		await page.goto(`${site.url}hub/`);
		await page.getByRole('link', { name: words.signIn.with(LABEL) }).waitFor();
		assert.deepEqual(await accessibility(page), []);
		await shot(`oidc-${template}-1-sign-in`);
		await signInAs(page, site, 'alice');
		await pressed(page, words.signOut).waitFor();
		const cookies = (await context.cookies()).filter((one) => one.name.startsWith('__Host-'));
		assert.deepEqual(cookies.map((one) => [one.name, one.httpOnly, one.secure, one.sameSite]), [['__Host-cygnet', true, true, 'Lax']]);
		await toNotebook(page, site);
		await shot(`oidc-${template}-2-notebook`);
		const held = [...sockets];
		assert.ok(held.length > 0, 'the notebook has open WebSockets');

		const other = await context.newPage();
		watch(other);
		await other.goto(`${site.url}hub/home`);
		await pressed(other, words.signOut).click();
		await other.waitForURL(/127\.0\.0\.1:3000\/session\/end/);
		await until(() => !held.some((one) => sockets.has(one)), 'the WebSockets that were open end with the session');
		assert.match(page.url(), /\/user\/alice\/lab/, 'the page is where it was');
		assert.equal((await context.request.get(`${site.url}user/alice/api/kernels`, { maxRedirects: 0, headers: { Accept: 'application/json' } })).status(), 403);
		await other.getByRole('button', { name: /yes/i }).click();
		await other.waitForURL(/localhost:8000\/hub\/login/);
		await shot(`oidc-${template}-3-signed-out`, other);
	});
}

journey('a person outside the group is refused and told so', async ({ page, context, cleanup, shot }) => {
	const { site } = await siteWithProvider(cleanup);
	await signInAs(page, site, 'mallory');
	await page.waitForURL(/\/hub\/login\?error=group/);
	await page.getByRole('alert').getByText('in none of the groups that may use this site').waitFor();
	assert.deepEqual(await accessibility(page), []);
	await shot('oidc-4-refused');
	assert.deepEqual((await context.cookies(site.url)).filter((one) => one.name.startsWith('__Host-')), []);
	assert.equal((await context.request.get(`${site.url}hub/api/user`)).status(), 403);
});

journey('the provider dies: the page says so, running people notice nothing', async ({ browser, page, cleanup, shot }) => {
	const { site, provider } = await siteWithProvider(cleanup);
	await signInAs(page, site, 'alice');
	await toNotebook(page, site);
	await provider.stop({ signal: 'SIGKILL', status: null });

	const strangers = await browser.newContext();
	const stranger = await strangers.newPage();
	stranger.setDefaultTimeout(CEILING);
	const down = stranger.getByRole('status').getByText(`${LABEL} does not answer since`);
	for (const end = Date.now() + CEILING; Date.now() < end && !(await down.isVisible());) {
		await stranger.goto(`${site.url}hub/login`);
		await stranger.getByRole('link', { name: words.signIn.with(LABEL) }).waitFor();
	}
	await down.waitFor();
	await shot('oidc-5-provider-down', stranger);
	await stranger.getByRole('link', { name: words.signIn.with(LABEL) }).click();
	await stranger.waitForURL(/\/hub\/login\?error=down/);
	await stranger.getByRole('alert').getByText('running servers go on').waitFor();

	assert.equal((await runCell(page, 'print(6 * 7 * 10)')).text, '420');
	await page.goto(`${site.url}hub/home`);
	await pressed(page, words.signOut).waitFor();

	const again = await startProvider();
	cleanup(() => again.stop({ status: null }));
	await stranger.goto(`${site.url}hub/login`);
	await signInAs(stranger, site, 'alice');
	await pressed(stranger, words.signOut).waitFor();
});
