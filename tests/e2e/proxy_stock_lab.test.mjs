// Chromium → cygnet-proxy with a static table → stock JupyterLab on a Unix socket: a cell prints 42.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { journey } from './lib/journey.mjs';
import { contents, openLab, reloadLab, runCell, save, waitIdle, writeNotebook } from './lib/lab.mjs';
import { makeTmp, prefix } from './lib/places.mjs';
import { start } from './lib/programs.mjs';

const BASE = '/user/alice/';

// Reached by its socket alone; what it is told about hosts and addresses comes through the proxy.
async function labOnSocket(folder) {
	const home = path.join(folder, 'home');
	const config = path.join(home, '.jupyter/labconfig');
	const socket = path.join(folder, 'lab.sock');
	mkdirSync(config, { recursive: true });
	writeFileSync(path.join(config, 'page_config.json'),
		JSON.stringify({ disabledExtensions: { '@jupyterlab/apputils-extension:announcements': true } }));
	const lab = start('stock-lab', path.join(prefix('jupyter'), 'bin/jupyter-lab'), [
		'--no-browser', `--ServerApp.sock=${socket}`, '--IdentityProvider.token=', '--ServerApp.allow_remote_access=True',
		`--ServerApp.base_url=${BASE}`, `--ServerApp.root_dir=${home}`, ...(process.getuid() === 0 ? ['--allow-root'] : []),
	], { cwd: home, env: { HOME: home, JUPYTER_PLATFORM_DIRS: '0' } });
	await lab.waitConnect({ path: socket });
	return { lab, socket };
}

async function proxyTo(folder, socket) {
	const table = path.join(folder, 'table.json');
	writeFileSync(table, JSON.stringify({ generation: 1, routes: [{ prefix: BASE, target: `unix:${socket}`, auth: 'none' }] }));
	const proxy = start('proxy', 'cygnet-proxy', ['--listen', '127.0.0.1:0', '--table', table, '--access-log', 'true']);
	const [, port] = await proxy.waitFor(/public listener at .* port (\d+)/);
	return { proxy, url: `http://localhost:${port}${BASE}` };
}

journey('stock JupyterLab behind the proxy runs a cell', async ({ page, seen, cleanup, shot }) => {
	const folder = makeTmp();
	const { lab, socket } = await labOnSocket(folder);
	cleanup(() => lab.stop());
	const { proxy, url } = await proxyTo(folder, socket);
	cleanup(() => proxy.stop());
	writeNotebook(path.join(folder, 'home/proof.ipynb'));
	await openLab(page, `${url}lab/tree/proof.ipynb`);
	await waitIdle(page);
	assert.equal((await runCell(page, 'print(6 * 7)')).text, '42');
	assert.match((await runCell(page, 'from IPython.display import HTML; HTML("<b>" + "x" * 3_000_000 + "</b>")')).text, /x{1000}/);
	assert.equal(await save(page), 200);
	const saved = await contents(page, url, 'proof.ipynb');
	assert.equal(saved.content.cells[0].outputs[0].text, '42\n');
	await reloadLab(page);
	await waitIdle(page);
	assert.equal((await runCell(page, 'print(40 + 2)')).text, '42');
	await shot('proxy-stock-lab');
	assert.deepEqual(seen.elsewhere, []);
	assert.deepEqual(seen.failed.filter((line) => !line.includes('ERR_ABORTED')), []);
});
