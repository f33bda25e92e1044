// One journey, unchanged, on stock jupyter_server and on our agent: what a user does in a notebook.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { agentLab } from './lib/agent.mjs';
import { journey } from './lib/journey.mjs';
import {
	answerInput, contents, enterCell, finishCell, newNotebook, newTerminal, openLab, reloadLab, restart, runCell, save, waitIdle,
} from './lib/lab.mjs';
import { CEILING, makeTmp } from './lib/places.mjs';
import { stockLab } from './lib/stock.mjs';

// xterm draws on a canvas; for screen readers it keeps the same text as elements.
function readableTerminals(folder) {
	const settings = path.join(folder, '.home/.jupyter/lab/user-settings/@jupyterlab/terminal-extension');
	mkdirSync(settings, { recursive: true });
	writeFileSync(path.join(settings, 'plugin.jupyterlab-settings'), '{"screenReaderMode": true}');
	return folder;
}
// In that mode xterm takes keys alone.
async function typeKeys(page, line) {
	await page.locator('.jp-Terminal:not(.lm-mod-hidden) .xterm-helper-textarea').focus();
	await page.keyboard.type(line);
	await page.keyboard.press('Enter');
}

const shows = (page, text) => page.locator('.jp-Terminal .xterm-accessibility', { hasText: text }).first()
	.waitFor({ state: 'attached', timeout: CEILING });

// Lab has told the server which terminal is open where: not before that can a reload bring it back.
const workspaceWithTerminal = (page) => page.waitForResponse((response) => response.request().method() === 'PUT' &&
	response.url().includes('/api/workspaces/') && /"widgets":\s*\[[^\]]*"terminal:/.test(response.request().postData() ?? ''));

for (const [name, start] of [['stock', stockLab], ['agent', agentLab]]) {
	journey(`a day in a notebook on ${name}`, async ({ page, seen, cleanup, shot }) => {
		const lab = await start(makeTmp(), { base: '/user/alice/' });
		cleanup(() => lab.stop());
		await openLab(page, `${lab.url}lab`);
		await newNotebook(page);
		assert.equal((await runCell(page, 'print(6 * 7)')).text, '42');
		assert.match((await runCell(page, '1 / 0')).text, /ZeroDivisionError/);

		const asking = await enterCell(page, "print('hello ' + input('who? '))");
		await answerInput(page, 'alice');
		assert.match((await finishCell(page, asking)).text, /hello alice/);

		const plot = await runCell(page, 'import matplotlib.pyplot as plt\nplt.plot([1, 2, 3]);');
		assert.equal(plot.images, 1);

		await runCell(page, [
			'import ipywidgets',
			'slider = ipywidgets.IntSlider(value=3, description="cygnet")',
			'label = ipywidgets.Label("at 3")',
			'slider.observe(lambda c: setattr(label, "value", f"at {c.new}"), "value")',
			'ipywidgets.VBox([slider, label])'].join('\n'));
		const handle = page.locator('.widget-slider .noUi-handle, .widget-slider .ui-slider-handle').first();
		await handle.focus();
		await page.keyboard.press('ArrowRight');
		await page.locator('.widget-label', { hasText: 'at 4' }).first().waitFor({ timeout: CEILING });
		assert.equal((await runCell(page, 'print(slider.value)')).text, '4');
		await shot(`${name}-lab-widgets`);

		assert.equal(await save(page, 'day.ipynb'), 200);
		const saved = await contents(page, lab.url, 'day.ipynb');
		assert.equal(saved.content.cells[0].outputs[0].text, '42\n');

		await runCell(page, 'x = 5');
		await restart(page);
		assert.match((await runCell(page, 'x')).text, /NameError/);
		await runCell(page, 'y = 7');
		// The notebook's own address is what brings it back.
		await page.waitForURL(/\/lab\/tree\/day\.ipynb/);
		await reloadLab(page);
		await waitIdle(page);
		assert.equal((await runCell(page, 'print(y)')).text, '7');
		assert.deepEqual(seen.elsewhere, []);
	});

	journey(`a terminal survives a reload on ${name}`, async ({ page, cleanup, shot }) => {
		const lab = await start(readableTerminals(makeTmp()), { base: '/user/alice/', port: 8889 });
		cleanup(() => lab.stop());
		await openLab(page, `${lab.url}lab`);
		const kept = workspaceWithTerminal(page);
		kept.catch(() => {}); // what fails first is told, not that this was waited for
		await newTerminal(page);
		await typeKeys(page, 'KEPT=yes; echo cyg-$((40+2))');
		await shows(page, 'cyg-42');
		await kept;
		await page.reload({ waitUntil: 'domcontentloaded' });
		await shows(page, 'cyg-42');
		await typeKeys(page, 'echo still-$KEPT');
		await shows(page, 'still-yes');
		await shot(`${name}-lab-terminal`);
	});
}
