// A day's work on the demo site: sign in, fill the form, watch the stages, JupyterLab, a cell, stop, sign out.
// The same journey on our own server and on stock JupyterLab behind the relay.
import assert from 'node:assert/strict';
import { journey } from './lib/journey.mjs';
import { contents, newNotebook, openLab, runCell, save } from './lib/lab.mjs';
import { pressed, signIn, startWith, stopServer, untilLab, words } from './lib/portal.mjs';
import { demoSite } from './lib/site.mjs';

for (const template of ['stock', 'lab']) {
	journey(`a day's work on ${template}`, async ({ page, seen, cleanup, shot }) => {
		const site = await demoSite({ template });
		cleanup(() => site.stop());
		await signIn(page, site);
		await shot(`day-${template}-1-home`);
		await startWith(page, [/2025b/]);
		await untilLab(page);
		await openLab(page, `${site.url}user/alice/lab`);
		await newNotebook(page, /Python 3/);
		assert.equal((await runCell(page, 'print(6 * 7)')).text, '42');
		assert.equal(await save(page, 'day.ipynb'), 200);
		const saved = await contents(page, `${site.url}user/alice/`, 'day.ipynb');
		assert.equal(saved.content.cells[0].outputs[0].text, '42\n');
		await shot(`day-${template}-2-lab`);
		await stopServer(page, site);
		await shot(`day-${template}-3-stopped`);
		const gone = await page.request.get(`${site.url}user/alice/api/status`);
		assert.equal(gone.status(), 424);
		await pressed(page, words.signOut).click();
		await page.waitForURL(/\/hub\/login/);
		assert.equal((await page.request.get(`${site.url}hub/api/user`)).status(), 403);
		assert.deepEqual(seen.elsewhere, []);
	});
}
