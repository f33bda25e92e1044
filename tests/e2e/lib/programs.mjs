// Programs as objects: started with a log under build/test-logs/e2e/, waited for by what they print, stopped.
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { BIN, CEILING, TEST_BIN, logFile } from './places.mjs';

function find(name) {
	if (name.includes('/')) return name;
	for (const folder of [BIN, TEST_BIN]) {
		if (existsSync(path.join(folder, name))) return path.join(folder, name);
	}
	return name;
}

export class Program extends EventEmitter {
	constructor(name, command, args, options) {
		super();
		this.name = name;
		this.log = '';
		this.logPath = logFile(`${name}.log`);
		const file = createWriteStream(this.logPath);
		this.child = spawn(find(command), args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
		for (const stream of [this.child.stdout, this.child.stderr]) {
			stream.on('data', (data) => {
				this.log += data;
				file.write(data);
				this.emit('news');
			});
		}
		this.ended = new Promise((resolve) => {
			this.child.on('error', (error) => resolve(`not started: ${error.message}`));
			this.child.on('close', (code, signal) => resolve(signal ?? code));
		}).then((status) => {
			this.status = status;
			file.end();
			this.emit('news');
			return status;
		});
	}

	// The match of the first thing it prints that fits; fails when it ends before, or at the ceiling.
	async waitFor(pattern, ceiling = CEILING) {
		const limit = AbortSignal.timeout(ceiling);
		for (;;) {
			const match = this.log.match(pattern);
			if (match) return match;
			if (this.status !== undefined) throw new Error(`${this.name} ended (${this.status}) before it said ${pattern}\n${this.tail()}`);
			try {
				await once(this, 'news', { signal: limit });
			} catch {
				throw new Error(`${this.name} did not say ${pattern}\n${this.tail()}`);
			}
		}
	}

	// It accepts connections at { port } of loopback or { path }: nothing tells when, so we try until it does.
	async waitConnect(address, ceiling = CEILING) {
		for (const end = Date.now() + ceiling; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
			const open = await new Promise((resolve) => {
				const socket = connect({ ...(address.path ? {} : { host: '127.0.0.1' }), ...address }, () => resolve(true));
				socket.on('error', () => resolve(false));
				socket.on('connect', () => socket.destroy());
			});
			if (open) return;
			if (this.status !== undefined || Date.now() > end) {
				throw new Error(`${this.name} does not listen at ${JSON.stringify(address)}\n${this.tail()}`);
			}
		}
	}

	tail() {
		return `log ${this.logPath}\n${this.log.split('\n').slice(-40).join('\n')}`;
	}

	// Ends it and checks how: status is 0 unless told otherwise (null: any).
	async stop({ signal = 'SIGTERM', status = 0, ceiling = CEILING } = {}) {
		if (this.status === undefined) this.child.kill(signal);
		const timer = setTimeout(() => this.child.kill('SIGKILL'), ceiling);
		const got = await this.ended;
		clearTimeout(timer);
		if (status !== null && got !== status) throw new Error(`${this.name} ended with ${got}, not ${status}\n${this.tail()}`);
		return got;
	}
}

// start('hub', 'cygnet-hub', ['--config', file], { env: {...}, cwd })
export function start(name, command, args = [], { env = {}, ...options } = {}) {
	return new Program(name, command, args, { env: { ...process.env, ...env }, ...options });
}
