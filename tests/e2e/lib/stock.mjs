// Stock JupyterLab out of the cached prefix, as the oracle of our tests and the thing behind the relay.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { prefix } from './places.mjs';
import { start } from './programs.mjs';

// Starts it on loopback TCP with `folder` as its root; the address is in .url (with the base URL).
export async function stockLab(folder, { port = 8888, base = '/', args = [], env = {} } = {}) {
	const home = path.join(folder, '.home');
	const config = path.join(home, '.jupyter/labconfig');
	mkdirSync(config, { recursive: true });
	// The question about news would lie over the page's corner in every picture.
	writeFileSync(path.join(config, 'page_config.json'),
		JSON.stringify({ disabledExtensions: { '@jupyterlab/apputils-extension:announcements': true } }));
	const program = start('stock-lab', path.join(prefix('jupyter'), 'bin/jupyter-lab'), [
		'--no-browser', '--ip=127.0.0.1', `--port=${port}`, '--ServerApp.port_retries=0', '--IdentityProvider.token=',
		`--ServerApp.base_url=${base}`, `--ServerApp.root_dir=${folder}`,
		...(process.getuid() === 0 ? ['--allow-root'] : []), ...args,
	], { cwd: folder, env: { HOME: home, JUPYTER_PLATFORM_DIRS: '0', ...env } });
	// It says "is running at" before it has bound its port.
	await program.waitConnect({ port });
	program.url = `http://127.0.0.1:${port}${base}`;
	return program;
}
