// The agent's endpoints for Spark and its event stream, with an invented cluster, in front of a real Jupyter server that
// gets everything else. Shapes: docs/decisions/0009-spark-sessions-by-the-agent.md. Tests import startSparkAgent() and
// tell what happens; `node tests/fakes/spark_agent.mjs http://127.0.0.1:8888/user/alice/ 8889` serves it to look at.
import { createHash } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { fileURLToPath } from 'node:url';

export const SCHEMA = 'https://events.cygnet/spark/v1';
const WS_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455 1.3

const option = (name, category, type, value, doc, since = '1.0.0') => ({ name, category, type, default: value, doc, since });

export const CATALOGUE = {
	chosen: 'local', version: '4.2.0',
	clusters: [
		{
			id: 'local', label: 'In my server', description: 'Lives and ends with the server.', kind: 'local', flavours: ['classic', 'connect'],
			facts: [{ label: 'cores', value: '2' }, { label: 'memory', value: '4 GB' }], usable: true, reason: null,
		},
		{
			id: 'nxcals', label: 'nxcals', description: 'Accelerator logging data.', kind: 'yarn', flavours: ['classic'],
			facts: [{ label: 'nodes', value: '52' }, { label: 'cores', value: '1,664' }, { label: 'queue', value: 'users' }], usable: true, reason: null,
		},
		{
			id: 'analytix', label: 'analytix', description: 'General purpose, shared by all.', kind: 'yarn', flavours: ['classic'],
			facts: [{ label: 'nodes', value: '48' }], usable: false, reason: 'Needs the group analytix-users.',
		},
	],
	bundles: [
		{ name: 'Large shuffles', description: 'For joins of large tables.', clusters: [], versions: [], options: [{ name: 'spark.sql.shuffle.partitions', value: '400', concatenate: null }] },
		{ name: 'NXCALS', description: null, clusters: ['nxcals'], versions: [], options: [{ name: 'spark.driver.extraJavaOptions', value: '-Dservice.url=x', concatenate: ' ' }] },
		{ name: 'Kafka', description: 'Streaming from Kafka.', clusters: [], versions: ['spark4'], options: [{ name: 'spark.jars.packages', value: 'kafka', concatenate: ',' }] },
		{ name: 'Old serialiser', description: 'For Spark 3.', clusters: [], versions: ['3.5'], options: [] },
	],
	options: [
		option('spark.driver.memory', 'Application Properties', 'size', '1g', 'Amount of memory to use for the driver process.', '1.1.1'),
		option('spark.executor.cores', 'Execution Behavior', 'number', null, 'The number of cores to use on each executor.'),
		option('spark.executor.memory', 'Application Properties', 'size', '1g', 'Amount of memory to use per executor process.', '0.7.0'),
		option('spark.executor.memoryOverhead', 'Application Properties', 'size', null, 'Memory beside the heap of each executor.', '2.3.0'),
		option('spark.sql.adaptive.enabled', 'SQL', 'bool', 'true', 'Change the plan while a query runs, by what was seen of the data.', '1.6.0'),
		option('spark.sql.shuffle.partitions', 'SQL', 'number', '200', 'Partitions to use when shuffling data for joins or aggregations.', '1.1.0'),
	],
};

/** What `preview` tells of a request. */
export function previewOf({ options = {}, bundles = [], notebook = { bundles: [], options: {} } }) {
	const mine = Object.entries({ ...notebook.options, ...options }).map(([name, value]) => ({
		name, value, layer: name in options ? 'connect' : 'notebook', locked: false, secret: false,
		lost: name === 'spark.executor.memory' ? [{ layer: 'site', value: '2g', why: null }] : [],
	}));
	const theirs = [...notebook.bundles, ...bundles].flatMap((name) => CATALOGUE.bundles.find((one) => one.name === name)?.options ?? [])
		.map(({ name, value }) => ({ name, value, layer: 'bundles', locked: false, secret: false, lost: [] }));
	const rules = [
		{ name: 'spark.authenticate', value: 'true', layer: 'policy', locked: true, secret: false, lost: [] },
		{ name: 'spark.authenticate.secret', value: null, layer: 'policy', locked: true, secret: true, lost: [] },
		{ name: 'spark.master', value: 'spark://127.0.0.1:7077', layer: 'cluster', locked: true, secret: false, lost: [] },
	];
	const known = new Set(CATALOGUE.options.map((one) => one.name));
	const lint = Object.keys(options).filter((name) => !known.has(name)).map((name) => ({
		name, level: 'warning', text: 'Spark 4.2.0 knows no option of that name.',
		nearest: [...known].find((one) => one.toLowerCase().startsWith(name.toLowerCase().slice(0, 14))) ?? null,
	}));
	return { properties: [...mine, ...theirs, ...rules], lint };
}

let made = 0;
export const session = (kernel, more = {}) => ({
	id: `s${++made}`, kernel, cluster: 'local', label: 'In my server', flavour: 'classic', state: 'asking', stage: 'asking', text: null,
	cause: null, hint: null, since: new Date().toISOString(), app: null, options: {}, bundles: [], ignored: [], idle_ends: null, ...more,
});
export const app = (kernel, base, more = {}) => ({
	app: 'app-20260101120000-0000', session: null, kernel, cluster: 'local', label: 'In my server', flavour: 'classic', name: 'notebook', state: 'running',
	started: new Date().toISOString(), ended: null, ui: `${base}spark-ui/app-20260101120000-0000/`, executors: { active: 2, cores: 2, memory_mb: 2048 }, ...more,
});

const none = { total: 0, done: 0, active: 0, failed: 0, skipped: 0 };
export const count = (total, done, active = 0, more = {}) => ({ ...none, total, done, active, ...more });
/** A cell that `seconds` ago began three stages, with the part `done` of their tasks done; more: members to replace. */
export function run(kernel, cell, { seconds = 14, done = 0.5, ...more } = {}) {
	const started = Date.now() - seconds * 1000;
	const tasks = [500, 200, 100];
	let left = Math.round(800 * done);
	const stages = tasks.map((total, id) => {
		const finished = Math.min(total, left);
		left -= finished;
		return {
			id, attempt: 0, name: ['scan parquet', 'exchange of run and luminosity', 'count at NativeMethodAccessorImpl.java:0'][id],
			state: finished === total ? 'COMPLETE' : finished > 0 ? 'ACTIVE' : 'PENDING', tasks: count(total, finished, finished > 0 && finished < total ? 2 : 0),
			input: id === 0 ? 3.2e9 : null, output: null, shuffle_read: id > 0 ? 4.1e8 : null, shuffle_write: id < 2 ? 4.1e8 : null, spilled: null, failure: null,
		};
	});
	const ended = stages.filter((one) => one.state === 'COMPLETE').length;
	return {
		cell, msg: 'm1', kernel, state: 'running', started: new Date(started).toISOString(), ended: null,
		jobs: count(3, ended, 1), stages: count(3, ended, 1), tasks: count(800, Math.round(800 * done), 2), executors: 2, failure: null,
		job_list: stages.map((one, id) => ({
			id, name: one.name, state: one.state === 'COMPLETE' ? 'SUCCEEDED' : 'RUNNING', started: new Date(started + id * 4000).toISOString(),
			ended: one.state === 'COMPLETE' ? new Date(started + id * 4000 + 3500).toISOString() : null, stage_ids: [id], failure: null,
		})),
		stage_list: stages,
		plot: Array.from({ length: seconds + 1 }, (_, s) => [s * 1000, s === 0 ? 0 : 1 + ((s * 5) % 4), Math.min(2, 1 + Math.floor(s / 4))]),
		...more,
	};
}

// ---- the wire ----

/** A text frame of a server, RFC 6455 5.2: FIN, not masked. */
function textFrame(text) {
	const body = Buffer.from(text);
	const head = body.length < 126 ? Buffer.from([0x81, body.length])
		: body.length < 65536 ? Buffer.from([0x81, 126, body.length >> 8, body.length & 255]) : null;
	if (head !== null) return Buffer.concat([head, body]);
	const long = Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
	long.writeBigUInt64BE(BigInt(body.length), 2);
	return Buffer.concat([long, body]);
}

function acceptSubscriber(req, socket, subscribers) {
	const accept = createHash('sha1').update(req.headers['sec-websocket-key'] + WS_GUID).digest('base64');
	socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
	subscribers.add(socket);
	socket.on('data', () => {}); // what subscribers say is not listened to, as in the agent
	socket.on('error', () => {});
	socket.on('close', () => subscribers.delete(socket));
}

function passOn(upstream, req, res) {
	const { method, headers, url } = req;
	const asked = http.request({ host: upstream.hostname, port: upstream.port, path: url, method, headers }, (answer) => {
		res.writeHead(answer.statusCode, answer.rawHeaders);
		answer.pipe(res);
	});
	asked.on('error', () => res.destroy());
	res.on('close', () => asked.destroy());
	req.pipe(asked);
}

function passSocketOn(upstream, req, socket, head) {
	const there = net.connect(Number(upstream.port), upstream.hostname, () => {
		const fields = req.rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${req.rawHeaders[at + 1]}`] : []));
		there.write(`${req.method} ${req.url} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`);
		there.write(head);
		socket.pipe(there).pipe(socket);
	});
	for (const one of [there, socket]) one.on('error', () => (there.destroy(), socket.destroy()));
}

async function bodyOf(req) {
	const parts = [];
	for await (const part of req) parts.push(part);
	return parts.length > 0 ? JSON.parse(Buffer.concat(parts).toString() || 'null') : null;
}

/**
 * Serves at port, in front of the Jupyter server at `upstream` (its whole base URL). Gives { url, state, asked, tell, close }:
 * what is served stands in .state; tell(event) keeps it there and sends it; .asked holds what was asked that changes something.
 */
export async function startSparkAgent(upstreamUrl, port) {
	const upstream = new URL(upstreamUrl);
	const base = upstream.pathname;
	const api = `${base}api/cygnet/spark/`;
	const subscribers = new Set();
	const sockets = new Set();
	const fake = {
		url: `http://127.0.0.1:${port}${base}`, base, asked: [], state: { catalogue: CATALOGUE, sessions: new Map(), apps: new Map(), refuse: null },
		subscribers,
		tell(event) {
			const { sessions, apps } = fake.state;
			if (event.kind === 'session') sessions.set(event.session.id, event.session);
			if (event.kind === 'session' && event.session.state === 'gone') sessions.delete(event.session.id);
			if (event.kind === 'app') apps.set(event.app.app, { cells: new Map(), ...apps.get(event.app.app), ...event.app });
			if (event.kind === 'cell') apps.get(event.app).cells.set(event.cell.cell, event.cell);
			const frame = textFrame(JSON.stringify({ schema_id: SCHEMA, __timestamp__: new Date().toISOString(), __schema__: SCHEMA, __schema_version__: '1', __metadata_version__: 1, ...event }));
			for (const socket of subscribers) socket.write(frame);
		},
		close: () => new Promise((resolve) => {
			server.close(resolve);
			for (const socket of sockets) socket.destroy();
		}),
	};

	const answers = {
		'GET catalogue': () => (fake.state.catalogue === null ? [502, { message: 'The hub does not answer.' }] : [200, fake.state.catalogue]),
		'GET connections': () => [200, { connections: [...fake.state.sessions.values()] }],
		'GET apps': () => [200, { apps: [...fake.state.apps.values()].map((one) => ({ ...one, cells: [...one.cells.values()] })) }],
		'POST preview': (body) => [200, previewOf(body)],
		'PUT choice': () => [204, null],
		'POST connections': (body) => {
			// A kernel has one session: what was left of an earlier one goes.
			for (const old of [...fake.state.sessions.values()].filter((one) => one.kernel === body.kernel)) fake.tell({ kind: 'session', session: { ...old, state: 'gone' } });
			const one = session(body.kernel, { cluster: body.cluster, label: CATALOGUE.clusters.find((cluster) => cluster.id === body.cluster)?.label ?? null, options: { ...body.notebook?.options, ...body.options }, bundles: [...body.notebook?.bundles ?? [], ...body.bundles ?? []], text: 'Asking the hub' });
			fake.tell({ kind: 'session', session: one });
			return [202, one];
		},
		'DELETE connections': (body, [id]) => {
			fake.tell({ kind: 'session', session: { ...fake.state.sessions.get(id), state: 'gone' } });
			return [204, null];
		},
		'POST apps': () => [204, null],
	};

	async function answer(req, res) {
		const [name, ...rest] = decodeURIComponent(new URL(req.url, fake.url).pathname.slice(api.length)).split('/');
		const body = await bodyOf(req);
		if (req.method !== 'GET' && name !== 'preview') fake.asked.push({ method: req.method, path: [name, ...rest].join('/'), body });
		const refused = req.method !== 'GET' && name !== 'preview' ? fake.state.refuse : null;
		const [status, json] = refused ? [409, { message: refused }] : answers[`${req.method} ${name}`]?.(body, rest) ?? [404, { message: 'Not Found' }];
		res.writeHead(status, json === null ? {} : { 'Content-Type': 'application/json' }).end(json === null ? undefined : JSON.stringify(json));
	}

	const server = http.createServer((req, res) => {
		if (req.url.startsWith(api)) void answer(req, res);
		else passOn(upstream, req, res);
	});
	server.on('upgrade', (req, socket, head) => {
		if (req.url.startsWith(`${base}api/events/subscribe`)) acceptSubscriber(req, socket, subscribers);
		else passSocketOn(upstream, req, socket, head);
	});
	server.on('connection', (socket) => {
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket));
	});
	await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
	return fake;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const fake = await startSparkAgent(process.argv[2], Number(process.argv[3] ?? 8889));
	console.log(`serving ${fake.url}`);
}
