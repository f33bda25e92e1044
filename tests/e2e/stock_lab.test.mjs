// The harness proved on stock JupyterLab, without a line of ours in between: type a cell, read 42, save.
import assert from 'node:assert/strict';
import { journey } from './lib/journey.mjs';
import { contents, newNotebook, openLab, runCell, save } from './lib/lab.mjs';
import { makeTmp } from './lib/places.mjs';
import { stockLab } from './lib/stock.mjs';

journey('stock JupyterLab runs a cell', async ({ page, seen, cleanup, shot }) => {
	const lab = await stockLab(makeTmp());
	cleanup(() => lab.stop());
	await openLab(page, `${lab.url}lab`);
	await newNotebook(page);
	assert.equal((await runCell(page, 'print(6 * 7)')).text, '42');
	const second = await runCell(page, '1 / 0');
	assert.match(second.text, /ZeroDivisionError/);
	assert.equal(await save(page, 'proof.ipynb'), 200);
	const saved = await contents(page, lab.url, 'proof.ipynb');
	assert.equal(saved.content.cells[0].outputs[0].text, '42\n');
	await shot('stock-lab');
	assert.deepEqual(seen.elsewhere, []);
});
