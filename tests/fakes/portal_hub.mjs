// A hub for looking at the portal: it serves docs/api/openapi.yaml from memory, with invented users and
// servers, and serves src/web with the real hub's headers. Run it (`node tests/fakes/portal_hub.mjs 8000`) to
// look at pages by hand; tests import startPortalHub() and change `hub.state` between visits.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const WEB = fileURLToPath(new URL('../../src/web/', import.meta.url));
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const TYPES = { html: 'text/html', css: 'text/css', mjs: 'text/javascript', js: 'text/javascript', svg: 'image/svg+xml' };
const PAGES = [[/^\/hub\/(home|logout|spawn(\/alice)?)?$/, 'home'], [/^\/hub\/login$/, 'login'], [/^\/hub\/spawn-pending\/[^/]+(\/[^/]+)?$/, 'starting'], [/^\/hub\/spark$/, 'spark']];

export const SITE = {
	name: 'Cygnet', accent: null, version: '0.1.0', development: true, isolation: 'sandbox', isolation_message: 'Each server has a sandbox of its own.',
	providers: [{ id: 'development', label: 'a name', kind: 'password', url: null, down_since: null, message: null }],
	status_url: null, help_url: null, privacy_url: null,
};

const facts = (named) => Object.entries(named).map(([label, value]) => ({ label, value }));

const CLUSTERS = [
	{ id: 'local', label: 'in my server', description: 'A small cluster that lives and ends with the server.', facts: facts({ nodes: '1', purpose: 'trying things out' }), available: true, reason: null },
	{ id: 'nxcals', label: 'nxcals', description: 'Accelerator logging data.', facts: facts({ nodes: '52', cores: '1,664', queue: 'users' }), available: true, reason: null },
	{ id: 'analytix', label: 'analytix', description: 'General purpose, shared by all.', facts: facts({ nodes: '48', cores: '2,304' }), available: false, reason: 'Needs the group analytix-users.' },
];
const stack = (id, more) => ({ id, label: id, description: null, kernels: ['Python 3'], spark: null, recommended: false, available: true, reason: null, ...more });

export const FORM = {
	profiles: [
		{
			id: 'standard', label: 'Everyday work', description: 'Notebooks, plots, small data.', default: true, available: true, reason: null,
			stacks: [
				stack('2026a', { description: 'The current release, tested together.', kernels: ['Python 3', 'R'], spark: '4.2.0', recommended: true }),
				stack('2025b', { description: 'Last year’s release, for analyses that must not change.', kernels: ['Python 3'] }),
				stack('nightly', { description: 'What comes next; changes every night.', available: false, reason: 'Needs the group testers.' }),
			],
			cores: [{ value: 1 }, { value: 2, default: true }, { value: 4 }],
			memory_mb: [{ value: 2048 }, { value: 4096, default: true }, { value: 8192 }, { value: 16384 }],
			clusters: CLUSTERS, user_script: true, home_packages: true,
		},
		{
			id: 'teaching', label: 'Course', description: 'A prepared environment, the same for everybody.', default: false, available: true, reason: null,
			stacks: [stack('course-2026')], cores: [{ value: 1, default: true }], memory_mb: [{ value: 2048, default: true }], clusters: [], user_script: false, home_packages: false,
		},
	],
	last: null, last_line: null,
};
export const LAST = { profile: 'standard', stack: '2026a', cores: 2, memory_mb: 4096, cluster: 'nxcals', user_script: false, home_packages: false };
export const LAST_LINE = '2026a · Python, R · 2 cores · 4 GB · Spark on nxcals';

/** What happens at a start: name, label, how long it takes here, how long it usually takes. */
export const STAGES = [
	['requested', 'Checking the choice', 10, 10], ['container', 'Making the container', 300, 280],
	['setup', 'Setting up the environment 2026a', 900, 1100], ['agent', 'Starting the notebook server', 120, 90],
	['spark', 'Starting Spark', 500, 1400], ['answer', 'Waiting for its first response', 60, 60],
];
export const SPARK = {
	app: { cluster: 'nxcals', label: 'Spark on nxcals', version: '4.2.0', state: 'ready' },
	properties: [
		{ name: 'spark.authenticate', value: 'true', layer: 'policy', lost: [{ layer: 'user', value: 'false' }], locked: true },
		{ name: 'spark.authenticate.secret', value: null, layer: 'policy', lost: [], locked: true },
		{ name: 'spark.driver.memory', value: '2g', layer: 'user', lost: [{ layer: 'site', value: '1g' }], locked: false },
		{ name: 'spark.executor.instances', value: '2', layer: 'cluster', lost: [], locked: false },
		{ name: 'spark.jars.packages', value: 'org.example:a-package-with-a-long-name_2.13:1.2.3,org.example:another-package-with-a-long-name_2.13:4.5.6', layer: 'bundle', lost: [], locked: false },
		{ name: 'spark.sql.shuffle.partitions', value: '16', layer: 'notebook', lost: [{ layer: 'cluster', value: '200' }, { layer: 'site', value: '64' }], locked: false },
	],
};

const now = () => new Date().toISOString();

export class PortalHub {
	constructor() {
		this.reset();
	}

	reset(more = {}) {
		this.streams ??= new Set();
		clearTimeout(this.timer);
		this.state = {
			site: structuredClone(SITE), form: structuredClone(FORM), signedIn: true, user: 'alice', password: 'swan', server: null, lastEnd: null,
			stat: { memory: { used: 1503238553, limit: 4294967296 }, cpu: { cores_used: 0.4, cores: 2 }, kernels: [{ id: '1', name: 'python3', path: 'analysis.ipynb', state: 'idle' }] },
			spark: structuredClone(SPARK), events: [], failStage: null, hangStage: null, refuse: null, stopGate: null, unknownStage: null, posts: [], dismissed: 0, ...more,
		};
	}

	record(state, more = {}) {
		const base = `/user/${this.state.user}/`;
		return {
			name: '', ready: state === 'running', pending: state === 'starting' ? 'spawn' : state === 'stopping' ? 'stop' : null, url: base, started: now(), last_activity: now(),
			progress_url: `/hub/api/users/${this.state.user}/server/progress`, user_options: LAST,
			cygnet: { state, choice: LAST_LINE, since: now(), lab_url: `${base}lab`, notebook_url: `${base}tree`, spark: true, isolation: 'sandbox', ...more },
		};
	}

	user() {
		const { user, server, lastEnd } = this.state;
		return { name: user, kind: 'user', admin: false, groups: ['physics'], servers: server ? { '': server } : {}, cygnet: { last_end: lastEnd } };
	}

	emit(event) {
		this.state.events.push(event);
		for (const res of this.streams) this.send(res, event);
	}

	send(res, event) {
		res.write(`data: ${JSON.stringify(event)}\n\n`);
		if (event.ready || event.failed) {
			res.end();
			this.streams.delete(res);
		}
	}

	/** Plays the stages; `failStage` fails there, `hangStage` stays there; of `unknownStage` no usual time is known. */
	start() {
		this.state.events = [];
		this.state.lastEnd = null;
		this.state.server = this.record('starting');
		const usual = (stage, ms) => (stage === this.state.unknownStage ? null : ms);
		STAGES.forEach(([stage, label, , ms]) => this.emit({ progress: 0, message: label, cygnet: { stage, label, state: 'waiting', ms: null, usual_ms: usual(stage, ms) } }));
		const step = (at) => {
			if (at === STAGES.length) return this.finish();
			const [stage, label, ms, usually] = STAGES[at];
			const progress = Math.round((at * 100) / STAGES.length);
			const event = (state, more) => this.emit({ progress, message: label, cygnet: { stage, label, state, ms: state === 'running' ? 0 : ms, usual_ms: usual(stage, usually), ...more } });
			event('running');
			if (stage === this.state.hangStage) return undefined;
			this.timer = setTimeout(() => {
				if (stage === this.state.failStage) {
					const lines = ['+ source /stacks/2026a/setup.sh', 'setup.sh: line 12: /stacks/2026a/bin/activate: No such file or directory', 'exit code 127'];
					event('failed', { lines });
					const message = 'The setup script of 2026a ended with code 127: a file it needs is missing.';
					this.state.server = null;
					this.state.lastEnd = { server: '', at: now(), cause: 'start_failed', message, lines };
					return this.emit({ progress: 100, failed: true, message });
				}
				event('done', stage === 'setup' ? { lines: ['sourced setup.sh (revision 4711)', '312 variables taken'] } : {});
				return step(at + 1);
			}, ms);
			return undefined;
		};
		step(0);
	}

	finish() {
		this.state.server = this.record('running');
		this.emit({ progress: 100, ready: true, message: 'Ready', url: `/user/${this.state.user}/lab` });
	}

	/** A start that is under way is told as failed at once; the server is gone when `stopGate` lets it. */
	async stop() {
		clearTimeout(this.timer);
		if (this.state.server?.pending === 'spawn') this.emit({ progress: 100, failed: true, message: 'The start was cancelled.' });
		await this.state.stopGate;
		this.state.server = null;
		this.state.events = [];
	}
}

const json = (res, status, body, headers = {}) => res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body === undefined ? '' : JSON.stringify(body));
const error = (res, status, message, cygnet) => json(res, status, { status, message, ...(cygnet && { cygnet }) });

async function file(res, name, status = 200) {
	try {
		let data = await readFile(path.join(WEB, name));
		if (name.endsWith('.html')) data = data.toString().replaceAll('$HUB', '/hub');
		res.writeHead(status, {
			'Content-Type': `${TYPES[name.split('.').pop()]}; charset=utf-8`, 'Content-Security-Policy': CSP,
			'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'same-origin', 'Cache-Control': 'no-cache',
		}).end(data);
	} catch {
		error(res, 404, 'No such file.');
	}
}

async function body(req) {
	let text = '';
	for await (const chunk of req) text += chunk;
	return text;
}

// [method, path, needs sign-in, handler(hub, res, {req, text, match})]
const API = [
	['GET', /^\/hub\/api\/cygnet\/site$/, false, (hub, res) => json(res, 200, hub.state.site)],
	['POST', /^\/hub\/login$/, false, (hub, res, { text, req }) => {
		const form = new URLSearchParams(text);
		if (form.get('password') !== hub.state.password) return error(res, 403, 'Name or password is not right.');
		Object.assign(hub.state, { signedIn: true, user: form.get('username') });
		return req.headers.accept.includes('json') ? json(res, 200, { next: form.get('next') }) : res.writeHead(302, { Location: form.get('next') }).end();
	}],
	['POST', /^\/hub\/logout$/, true, (hub, res) => {
		hub.state.signedIn = false;
		json(res, 200, { next: '/hub/login' });
	}],
	['GET', /^\/hub\/api\/user$/, true, (hub, res) => json(res, 200, hub.user())],
	['GET', /^\/hub\/api\/cygnet\/form$/, true, (hub, res) => json(res, 200, hub.state.form)],
	['POST', /^\/hub\/api\/cygnet\/last-end\/dismiss$/, true, (hub, res) => {
		Object.assign(hub.state, { lastEnd: null, dismissed: hub.state.dismissed + 1 });
		res.writeHead(204).end();
	}],
	['GET', /^\/hub\/api\/cygnet\/servers\/[^/]+\/stat$/, true, (hub, res) => (hub.state.stat ? json(res, 200, hub.state.stat) : error(res, 503, 'No figures here.'))],
	['GET', /^\/hub\/api\/cygnet\/servers\/[^/]+\/spark$/, true, (hub, res) => (hub.state.spark ? json(res, 200, hub.state.spark) : error(res, 404, 'No Spark.'))],
	['POST', /^\/hub\/api\/users\/[^/]+\/server$/, true, (hub, res, { text }) => {
		hub.state.posts.push(JSON.parse(text || '{}'));
		const refuse = hub.state.refuse;
		if (refuse) return error(res, refuse.status, refuse.message, refuse.cygnet);
		if (hub.state.server?.ready) return error(res, 400, `${hub.state.user} is already running`);
		if (!hub.state.server) hub.start();
		return json(res, 202);
	}],
	['DELETE', /^\/hub\/api\/users\/[^/]+\/server$/, true, async (hub, res) => {
		await hub.stop();
		res.writeHead(204).end();
	}],
	['GET', /^\/hub\/api\/users\/[^/]+\/server\/progress$/, true, (hub, res, { req }) => {
		const { events, server } = hub.state;
		if (events.length === 0 && !server?.ready) return error(res, 400, 'Not starting.');
		res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
		hub.streams.add(res);
		req.on('close', () => hub.streams.delete(res));
		for (const event of server?.ready ? [{ progress: 100, ready: true, message: 'Ready', url: `/user/${hub.state.user}/lab` }] : events) hub.send(res, event);
		return undefined;
	}],
];

async function handle(hub, req, res) {
	const url = new URL(req.url, 'http://hub');
	const text = await body(req);
	for (const [method, pattern, signIn, handler] of API) {
		const match = pattern.exec(url.pathname);
		if (req.method !== method || !match) continue;
		if (signIn && !hub.state.signedIn) return error(res, 403, 'Missing or invalid credentials.');
		return handler(hub, res, { req, text, match });
	}
	if (url.pathname.startsWith('/hub/static/')) return file(res, `static/${path.basename(url.pathname)}`);
	if (url.pathname === '/favicon.ico') return res.writeHead(204).end();
	if (url.pathname.startsWith('/hub/api/')) return error(res, 404, 'No such endpoint.');
	const code = /^\/hub\/error\/(\d+)$/.exec(url.pathname)?.[1];
	if (code) return file(res, `error-${code}.html`);
	const page = PAGES.find(([pattern]) => pattern.test(url.pathname));
	if (page && page[1] !== 'login' && !hub.state.signedIn) return res.writeHead(302, { Location: `/hub/login?next=${encodeURIComponent(req.url)}` }).end();
	if (page) return file(res, `${page[1]}.html`);
	if (url.pathname.startsWith('/user/')) {
		if (!hub.state.server?.ready) return file(res, 'error-424.html', 424);
		return res.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><html lang="en"><title>JupyterLab</title><main><h1>Here would be JupyterLab</h1></main>');
	}
	if (url.pathname === '/') return res.writeHead(302, { Location: '/hub/home' }).end();
	return file(res, 'error-404.html', 404);
}

/** Listens on loopback; resolves to {hub, url, close}. */
export function startPortalHub(port = 0) {
	const hub = new PortalHub();
	const server = createServer((req, res) => handle(hub, req, res).catch((err) => error(res, 500, String(err))));
	return new Promise((resolve, reject) => {
		server.on('error', reject);
		server.listen(port, '127.0.0.1', () => resolve({
			hub,
			url: `http://127.0.0.1:${server.address().port}`,
			close: () => new Promise((done) => {
				hub.reset();
				server.close(done);
				server.closeAllConnections();
			}),
		}));
	});
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const { hub, url } = await startPortalHub(Number(process.argv[2] ?? 8000));
	hub.state.signedIn = false;
	console.log(`Portal with an invented hub: ${url} (any name, password "${hub.state.password}")`);
}
