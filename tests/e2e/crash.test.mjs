// Parts die while a cell runs, and the user of the notebook does not notice.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { journey } from './lib/journey.mjs';
import { enterCell, finishCell, newNotebook, openLab, runCell, until, waitIdle } from './lib/lab.mjs';
import { pressed, signIn, untilLab, words } from './lib/portal.mjs';
import { demoSite } from './lib/site.mjs';

// In these journeys' process namespace there is one server at a time.
const agentPids = () => execFileSync('sh', ['-c', 'pgrep -x cygnet-agent || [ $? -eq 1 ]'], { encoding: 'utf8' }).split('\n').filter(Boolean).map(Number);

async function begin(page, site) {
	await signIn(page, site);
	await pressed(page, words.home.start).click();
	await untilLab(page);
	await openLab(page, `${site.url}user/alice/lab`);
	await newNotebook(page, /Python 3/);
}

journey('the hub is killed while a cell runs', async ({ page, seen, cleanup }) => {
	const site = await demoSite();
	cleanup(() => site.stop());
	await begin(page, site);
	const pid = (await runCell(page, 'import os, time; print(os.getpid())')).text;
	const sockets = seen.websockets;
	const cell = await enterCell(page, 'for i in range(8):\n    print(i, flush=True); time.sleep(0.5)\nprint(os.getpid())');
	const old = site.pidOf('hub');
	process.kill(old, 'SIGKILL');
	await site.program.waitFor(/killed by signal 9[\s\S]*hub: ready/);
	assert.notEqual(site.pidOf('hub'), old);
	const { text } = await finishCell(page, cell);
	assert.equal(text, [0, 1, 2, 3, 4, 5, 6, 7, pid].join('\n'));
	assert.equal(seen.websockets, sockets, 'the same WebSockets went on');
	// The new hub knows the server: it can be asked about, and stopped at the end.
	const user = await (await page.request.get(`${site.url}hub/api/user`)).json();
	assert.equal(user.servers[''].ready, true);
	assert.equal((await runCell(page, 'print(6 * 7)')).text, '42');
});

journey('the agent is killed and the kernel keeps its variables', async ({ page, cleanup }) => {
	const site = await demoSite();
	cleanup(() => site.stop());
	await begin(page, site);
	await runCell(page, 'kept = 6 * 7');
	const [old, ...more] = agentPids();
	assert.ok(old > 0 && more.length === 0);
	process.kill(old, 'SIGKILL');
	await until(() => agentPids().some((pid) => pid !== old), 'init starts the agent again');
	await until(async () => {
		const answer = await page.request.get(`${site.url}user/alice/api/kernels`);
		return answer.ok() && (await answer.json()).length === 1;
	}, 'the new agent knows the kernel');
	// By its name: Lab may not have saved yet which documents were open.
	await openLab(page, `${site.url}user/alice/lab/tree/Untitled.ipynb`);
	await waitIdle(page);
	assert.match((await runCell(page, 'print(kept)')).text, /42/);
});

journey('all of it but the server is killed, started again, and the kernel is as it was', async ({ page, cleanup }) => {
	const site = await demoSite();
	cleanup(() => site.stop());
	await begin(page, site);
	await runCell(page, 'kept = 6 * 7');
	await site.program.stop({ signal: 'SIGKILL', status: 'SIGKILL' });
	// The daemons end by themselves when their parent's pipe closes, and with them their sockets.
	await until(() => site.running().every((name) => !/cygnet-(hub|proxy|spawner)/.test(name)), 'the daemons end');
	await site.up();
	const user = await (await page.request.get(`${site.url}hub/api/user`)).json();
	assert.equal(user.servers[''].ready, true, 'still signed in, and the server was adopted');
	// By its name: Lab may not have saved yet which documents were open.
	await openLab(page, `${site.url}user/alice/lab/tree/Untitled.ipynb`);
	await waitIdle(page);
	assert.match((await runCell(page, 'print(kept)')).text, /42/);
});
