// Two users at once, each in a sandbox: neither can reach anything of the other's, in any way.
import assert from 'node:assert/strict';
import http from 'node:http';
import { journey, watch } from './lib/journey.mjs';
import { newNotebook, openLab, runCell } from './lib/lab.mjs';
import { pressed, signIn, untilLab, words } from './lib/portal.mjs';
import { demoSite } from './lib/site.mjs';

async function begin(page, site, user) {
	await signIn(page, site, user);
	await pressed(page, words.home.start).click();
	await untilLab(page);
	await openLab(page, `${site.url}user/${user}/lab`);
	await newNotebook(page, /Python 3/);
}

// One raw request, so that no client tidies the path; gives { status, body, upgraded }.
function raw(site, path, { method = 'GET', headers = {} } = {}) {
	const { port } = new URL(site.url);
	return new Promise((resolve, reject) => {
		const req = http.request({ host: '127.0.0.1', port, path, method, headers: { Host: `localhost:${port}`, ...headers } });
		req.on('upgrade', (res, socket) => {
			socket.destroy();
			resolve({ status: res.statusCode, body: '', upgraded: true });
		});
		req.on('response', (res) => {
			let body = '';
			res.on('data', (data) => (body += data));
			res.on('end', () => resolve({ status: res.statusCode, body, upgraded: false }));
		});
		req.on('error', reject);
		req.end();
	});
}

const cookieOf = async (context) => (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');

journey('two people get nothing of each other', async ({ browser, page, cleanup, shot }) => {
	const site = await demoSite();
	cleanup(() => site.stop());
	const bobs = await browser.newContext();
	const bob = await bobs.newPage();
	watch(bob);
	await begin(page, site, 'alice');
	await begin(bob, site, 'bob');
	const secret = `bob's secret ${Math.random()}`;
	assert.equal((await runCell(bob, `open('secret.txt', 'w').write(${JSON.stringify(secret)}); import os; print(os.getuid(), os.getpid())`)).errors, '');

	// Over HTTP and WebSockets with alice's cookie, also encoded, dotted and doubled.
	const alice = { Cookie: await cookieOf(page.context()), Accept: 'application/json' };
	const paths = ['/user/bob/api/contents/secret.txt', '/user/%62ob/api/contents/secret.txt', '/user/alice/../bob/files/secret.txt',
		'/user/alice/%2e%2e/bob/files/secret.txt', '/user/alice/..%2fbob/files/secret.txt', '/user//bob/files/secret.txt',
		'//user/bob/files/secret.txt', '/user/BOB/files/secret.txt', '/user/bob./files/secret.txt', '/user/bob/', '/user/bob/api/kernels',
		'/user/alice/files/../../bob/files/secret.txt', '/user/alice;/../bob/files/secret.txt', '/user/bob%2fapi/kernels',
		'/hub/api/users/bob', '/hub/api/users/bob/server/progress', '/hub/api/cygnet/servers/bob/stat'];
	for (const path of paths) {
		const answer = await raw(site, path, { headers: alice });
		assert.ok(answer.status >= 300, `${path} answered ${answer.status}`);
		assert.ok(!answer.body.includes(secret), `${path} told bob's secret`);
	}
	assert.ok((await raw(site, '/hub/api/users/bob/server', { method: 'DELETE', headers: { ...alice, Origin: site.url.replace(/\/$/, '') } })).status >= 400);
	const kernels = JSON.parse((await raw(site, '/user/bob/api/kernels', { headers: { Cookie: await cookieOf(bobs), Accept: 'application/json' } })).body);
	assert.equal(kernels.length, 1);
	const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', Origin: site.url.replace(/\/$/, '') };
	const channel = `/user/bob/api/kernels/${kernels[0].id}/channels`;
	for (const path of [channel, channel.replace('bob', '%62ob'), channel.replace('/user/bob', '/user/alice/../bob')]) {
		const answer = await raw(site, path, { headers: { ...alice, ...upgrade } });
		assert.ok(!answer.upgraded && answer.status >= 300, `${path}: ${answer.status}`);
	}
	// Her cookie's value as a token, and her own route with another site's origin.
	const value = alice.Cookie.match(/__Host-cygnet=([0-9a-f]+)/)[1];
	for (const header of [`token ${value}`, `Bearer ${value}`])
		assert.ok((await raw(site, '/user/bob/api/kernels', { headers: { Authorization: header, Accept: 'application/json' } })).status >= 400);
	assert.ok((await raw(site, '/user/alice/api/kernels', { method: 'POST', headers: { ...alice, Origin: 'http://evil.example' } })).status >= 400);

	// From alice's kernel: no files, processes or sockets of bob's, and none of the hub's.
	const look = await runCell(page, `
import glob, os, socket, json
def text(path):
    try:
        return open(path).read()
    except PermissionError:
        return ''
seen = dict(
    homes=sorted(os.listdir('/home')),
    commands=sorted({text(f).replace('\\0', ' ').split(' ')[0].rsplit('/', 1)[-1] for f in glob.glob('/proc/[0-9]*/cmdline')} - {''}),
    unix=[l.split()[-1] for l in open('/proc/net/unix').read().splitlines()[1:] if '/' in l.split()[-1]],
    reach=[p for p in (8000, 22, 80) if socket.socket().connect_ex(('127.0.0.1', p)) == 0],
    host=[d for d in ('/var/lib/cygnet', '/root', ${JSON.stringify(site.folder)} + '/state') if os.path.isdir(d) and os.access(d, os.R_OK)],
    environ=[k for k in os.environ if any(w in k for w in ('TOKEN', 'SECRET', 'PASSWORD', 'CREDENTIAL'))],
    pid1=text('/proc/1/environ'),
)
print(json.dumps(seen))`);
	const seen = JSON.parse(look.text);
	assert.deepEqual(seen.homes, ['alice']);
	assert.ok(seen.commands.every((name) => /^(cygnet-init|cygnet-agent|python3?(\.\d+)?)$/.test(name)), seen.commands.join(' '));
	assert.deepEqual(seen.unix.filter((name) => !name.startsWith('/run/cygnet/') && !name.startsWith('@')), []);
	assert.deepEqual([seen.reach, seen.host, seen.environ, seen.pid1], [[], [], [], '']);
	await shot('two-people-alice');
});
