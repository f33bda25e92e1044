// Two demo sites side by side, profiles of the one on our own server, of the other on stock JupyterLab behind the relay:
// the stages of a start, the time from the click to a usable JupyterLab, bytes and time of a page load.
// Use: site.mjs [ROUNDS]. Writes build/bench/site.json.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { launch } from '../e2e/lib/journey.mjs';
import { labIsThere } from '../e2e/lib/lab.mjs';
import { ROOT } from '../e2e/lib/places.mjs';
import { pressed, signIn, stopServer, words } from '../e2e/lib/portal.mjs';
import { demoSite } from '../e2e/lib/site.mjs';

const ROUNDS = Number(process.argv[2] ?? 3);
const TICK_MS = 10;
// Run by init, but the site's: all other stages are our own parts' (hub, spawner, init, agent).
const SCRIPTS = ['setup', 'user-script'];
const OWN = ['hub', 'proxy', 'spawner-sandbox'];

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function cpuMs(pid) {
	try {
		const words = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
		return (Number(words[11]) + Number(words[12])) * TICK_MS;
	} catch {
		return 0;
	}
}

// Pids of what fits: a daemon by its path, the agents of all containers by their name.
function pids(...pattern) {
	try {
		return execFileSync('pgrep', pattern, { encoding: 'utf8' }).trim().split('\n').map(Number);
	} catch {
		return [];
	}
}

const agents = () => pids('-x', 'cygnet-agent');
const daemonMs = (site, name) => pids('-f', `^${site.folder}/bin/cygnet-${name}( |$)`).reduce((sum, pid) => sum + cpuMs(pid), 0);

// The stages of the start that is about to begin: its stream, read to the end, from the first moment that there is one.
async function followStages(context, site, state) {
	while (!state.over) {
		const answer = await context.request.get(`${site.url}hub/api/users/alice/server/progress`);
		if (answer.ok()) {
			const stages = {};
			for (const line of (await answer.text()).split('\n')) {
				const { cygnet } = line.startsWith('data: ') ? JSON.parse(line.slice(6)) : {};
				if (cygnet?.state === 'done') stages[cygnet.stage] = cygnet.ms;
			}
			return stages;
		}
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
	return {};
}

async function startOnce(browser, site) {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
	const page = await context.newPage();
	await signIn(page, site);
	await page.getByRole('button', { name: words.home.change }).click();
	await page.waitForURL(/\/hub\/spawn/);
	const button = pressed(page, words.home.start);
	await button.waitFor();
	const state = { over: false };
	const others = agents();
	const before = OWN.map((name) => daemonMs(site, name));
	const stages = followStages(context, site, state);
	const began = performance.now();
	await button.click();
	await page.waitForURL(/\/user\/[^/]+\/lab/, { waitUntil: 'commit' });
	const answered = performance.now() - began;
	await labIsThere(page);
	const ms = performance.now() - began;
	state.over = true;
	const cpu = Object.fromEntries(OWN.map((name, i) => [name, daemonMs(site, name) - before[i]]));
	cpu.agent = agents().filter((pid) => !others.includes(pid)).reduce((sum, pid) => sum + cpuMs(pid), 0);
	return { ms, answered, stages: await stages, cpu, context, page };
}

// A page load of a browser that has never been here; then again with its cache.
async function loads(browser, site, signedIn) {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, storageState: await signedIn.storageState() });
	const page = await context.newPage();
	const cdp = await context.newCDPSession(page);
	let bytes = 0, requests = 0;
	cdp.on('Network.loadingFinished', ({ encodedDataLength }) => { bytes += encodedDataLength; requests++; });
	await cdp.send('Network.enable');
	const once = async () => {
		bytes = requests = 0;
		const began = performance.now();
		await page.goto(`${site.url}user/alice/lab`, { waitUntil: 'domcontentloaded' });
		await labIsThere(page);
		const ms = performance.now() - began;
		await page.waitForLoadState('networkidle');
		return { ms, bytes, requests };
	};
	const cold = await once();
	const warm = await once();
	await context.close();
	return { cold, warm };
}

const sites = { ours: await demoSite({ port: 8001 }), stock: await demoSite({ template: 'stock', port: 8002 }) };
const names = { ours: 'cygnet-agent', stock: 'stock JupyterLab' };
const got = { ours: [], stock: [] };
const browser = await launch();
try {
	for (let round = -1; round < ROUNDS; round++) {
		for (const [name, site] of Object.entries(sites)) {
			const { context, page, ...start } = await startOnce(browser, site);
			const load = await loads(browser, site, context);
			if (round >= 0) got[name].push({ ...start, ...load });
			await stopServer(page, site);
			await context.close();
		}
	}
} finally {
	await browser.close();
	for (const site of Object.values(sites)) await site.stop();
}

const rows = [];
for (const [name, all] of Object.entries(got)) {
	const who = names[name];
	const of = (pick) => median(all.map(pick));
	const stages = Object.fromEntries(Object.keys(all[0].stages).map((stage) => [stage, of((one) => one.stages[stage] ?? 0)]));
	const own = of((one) => Object.entries(one.stages).filter(([stage]) => !SCRIPTS.includes(stage)).reduce((sum, [, ms]) => sum + ms, 0));
	rows.push(
		{ row: 'page load, first', who, value: of((one) => one.cold.ms), unit: 'ms', n: all.length },
		{ row: 'page load, again', who, value: of((one) => one.warm.ms), unit: 'ms', n: all.length },
		{ row: 'page bytes, first', who, value: of((one) => one.cold.bytes) / 1e6, unit: 'MB', requests: of((one) => one.cold.requests) },
		{ row: 'page bytes, again', who, value: of((one) => one.warm.bytes) / 1e3, unit: 'kB', requests: of((one) => one.warm.requests) },
		{ row: 'click to JupyterLab', who, value: of((one) => one.ms), unit: 'ms', answered_ms: of((one) => one.answered), n: all.length },
		{ row: 'own stages', who, value: own, unit: 'ms', share: own / of((one) => one.ms), stages,
			cpu_ms: Object.fromEntries(Object.keys(all[0].cpu).map((key) => [key, of((one) => one.cpu[key])])) });
}
mkdirSync(path.join(ROOT, 'build/bench'), { recursive: true });
writeFileSync(path.join(ROOT, 'build/bench/site.json'), `${JSON.stringify(rows, null, 1)}\n`);
for (const { row, who, value, unit, ...more } of rows) console.log(' ', row.padEnd(20), who.padEnd(18), value.toFixed(1), unit, JSON.stringify(more));
