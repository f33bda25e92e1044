// Our agent under cygnet-init, without proxy and hub, serving the cached prefix's pages on loopback TCP.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BIN, prefix } from './places.mjs';
import { start } from './programs.mjs';

// init takes its listening socket as descriptor 3.
const LISTEN = `
import os, socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(128)
if s.fileno() != 3:
    os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.execv(sys.argv[2], sys.argv[2:])
`;

// The same shape as stockLab: `folder` is the root, the address is in .url.
export async function agentLab(folder, { port = 8888, base = '/', env = {} } = {}) {
	const home = path.join(folder, '.home');
	const run = path.join(folder, '.run');
	const config = path.join(home, '.jupyter/labconfig');
	for (const one of [config, ...['connection', 'journal', 'runtime', 'log', 'secrets'].map((name) => path.join(run, name))]) {
		mkdirSync(one, { recursive: true, mode: 0o700 });
	}
	writeFileSync(path.join(config, 'page_config.json'),
		JSON.stringify({ disabledExtensions: { '@jupyterlab/apputils-extension:announcements': true } }));
	const all = { HOME: home, PATH: `${prefix('jupyter')}/bin:/usr/bin:/bin`, SHELL: '/bin/bash', LANG: 'C.UTF-8', ...env };
	const program = start('agent-lab', '/usr/bin/python3', ['-c', LISTEN, String(port), path.join(BIN, 'cygnet-init'),
		'--run-dir', run, ...Object.entries(all).flatMap(([name, value]) => ['--env', `${name}=${value}`]), '--', path.join(BIN, 'cygnet-agent'), '--base-url', base, '--root-dir', folder, '--run-dir', run,
		'--jupyter-prefix', prefix('jupyter'), '--labextensions', prefix('labextension'),
	], { cwd: folder });
	await program.waitFor(/ready/);
	program.url = `http://127.0.0.1:${port}${base}`;
	program.run = run;
	return program;
}
