// The Spark panel and the monitor below a cell, on our agent's pages with an invented cluster behind them.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startSparkAgent, app, count, run, session } from '../fakes/spark_agent.mjs';
import { agentLab } from './lib/agent.mjs';
import { accessibility, journey } from './lib/journey.mjs';
import { openLab, reloadLab, runCell, until, waitIdle, writeNotebook } from './lib/lab.mjs';
import { CEILING, makeTmp } from './lib/places.mjs';
import { signIn, startWith, untilLab } from './lib/portal.mjs';
import { demoSite } from './lib/site.mjs';
import { words } from '../../kernels/labextension/src/words.ts';

const NAME = 'physics.ipynb';

function darken(folder) {
	const settings = path.join(folder, '.home/.jupyter/lab/user-settings/@jupyterlab/apputils-extension');
	mkdirSync(settings, { recursive: true });
	writeFileSync(path.join(settings, 'themes.jupyterlab-settings'), '{"theme": "JupyterLab Dark"}');
}

// A notebook with one cell, "first", whose kernel is known, in front of a fake that tells what Spark does.
async function notebook({ page, cleanup }, { address = 'lab/tree', wait = waitIdle, dark = false } = {}) {
	const folder = makeTmp();
	writeNotebook(path.join(folder, NAME));
	if (dark) darken(folder);
	const lab = await agentLab(folder, { base: '/user/alice/' });
	cleanup(() => lab.stop());
	const fake = await startSparkAgent(lab.url, 8889);
	cleanup(() => fake.close());
	await openLab(page, `${fake.url}${address}/${NAME}`);
	await wait(page);
	let sessions = [];
	await until(async () => (sessions = await (await page.request.get(`${fake.url}api/sessions`)).json()).length > 0, 'a kernel');
	return { fake, kernel: sessions[0].kernel.id };
}

const panel = (page) => page.locator('.cyg-view');
const button = (page, name) => panel(page).getByRole('button', { name, exact: true });
const monitor = (page) => page.locator('.cyg-monitor');
const told = (page) => monitor(page).locator('.cyg-told');
const says = (locator, text) => locator.filter({ hasText: text }).first().waitFor({ timeout: CEILING });

async function openPanel(page) {
	const item = page.locator('.cyg-status');
	const more = page.locator('.jp-NotebookPanel-toolbar .jp-Toolbar-responsive-opener:visible');
	await item.or(more).first().waitFor({ timeout: CEILING });
	if (!await item.isVisible()) await more.click(); // a toolbar that is too narrow for it
	if (!await panel(page).isVisible()) await item.click();
	await panel(page).waitFor({ timeout: CEILING });
}


const chooses = (page) => page.getByRole('radio', { name: /nxcals/ }).check();
const lastAsked = (fake, method) => fake.asked.filter((one) => one.method === method).at(-1);
const untilAsked = (fake, method, path) =>
	until(() => fake.asked.some((one) => one.method === method && path.test(one.path)), `${method} ${path} is asked`);

journey('a notebook is connected, shown and released from the panel', async ({ page, seen, cleanup, shot }) => {
	const { fake, kernel } = await notebook({ page, cleanup });
	await openPanel(page);
	await says(panel(page), words.panel.none[0]);
	await shot('spark-panel-1-none');

	// A cluster with its bundles, an option by completion, what is held against another.
	await chooses(page);
	await panel(page).getByRole('checkbox', { name: /NXCALS/ }).check();
	await panel(page).getByText('Options', { exact: true }).click();
	await button(page, words.options.add).click();
	await page.keyboard.type('executor.mem');
	await page.getByRole('option', { name: /spark\.executor\.memory.*default 1g/s }).first().waitFor();
	await shot('spark-panel-2-completion');
	assert.deepEqual(await accessibility(page, '.cyg-panel'), []);
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('Enter');
	await panel(page).getByLabel(words.options.value('spark.executor.memory')).fill('4g');
	await says(panel(page), 'Amount of memory to use per executor process.');
	await button(page, words.options.add).click();
	await page.keyboard.type('spark.sql.shufle.partitions');
	await page.keyboard.press('Escape');
	await button(page, words.options.use('spark.sql.shuffle.partitions')).click();
	await panel(page).getByLabel(words.options.value('spark.sql.shuffle.partitions')).fill('64');
	await panel(page).getByText(words.preview.title, { exact: true }).click();
	await panel(page).getByRole('searchbox', { name: words.preview.search }).fill('memory');
	await says(panel(page).locator('td'), words.preview.lost('2g', 'site', null));
	await shot('spark-panel-3-preview');
	assert.deepEqual(await accessibility(page, '.cyg-panel'), []);

	// Kept in the notebook, for us and for SWAN.
	await button(page, words.connected.save).click();
	await says(panel(page), words.connected.saved.whole);
	await page.keyboard.press('Control+S');
	await until(async () => {
		const { content } = await (await page.request.get(`${fake.url}api/contents/${NAME}`)).json();
		return content.metadata.cygnet?.spark.cluster === 'nxcals' && content.metadata.sparkconnect?.bundled_options[0] === 'NXCALS';
	}, 'the notebook keeps the choice');

	await button(page, words.panel.connect).click();
	await says(panel(page), words.starting.title('nxcals'));
	assert.deepEqual(lastAsked(fake, 'POST').body, {
		kernel, cluster: 'nxcals', bundles: [], options: {},
		notebook: { bundles: ['NXCALS'], options: { 'spark.executor.memory': '4g', 'spark.sql.shuffle.partitions': '64' } },
	});
	assert.equal(await page.locator('.cyg-title').evaluate((node) => node === document.activeElement), true);
	const [id] = fake.state.sessions.keys();
	const tell = (more) => fake.tell({ kind: 'session', session: { ...fake.state.sessions.get(id), ...more } });
	tell({ state: 'driver', text: 'The driver of nxcals is starting' });
	await says(panel(page), 'The driver of nxcals is starting');
	await shot('spark-panel-4-starting');
	assert.deepEqual(await accessibility(page, '.cyg-panel'), []);

	tell({ state: 'ready', text: null, app: 'app-20260101120000-0000', idle_ends: new Date(Date.now() + 540_000).toISOString(), ignored: ['spark.driver.memory'] });
	fake.tell({ kind: 'app', app: app(kernel, fake.base, { session: id }) });
	await says(panel(page), words.connected.title('nxcals'));
	assert.equal(new URL(await panel(page).getByRole('link', { name: words.connected.ui }).getAttribute('href')).pathname, `${fake.base}spark-ui/app-20260101120000-0000/`);
	await says(page.locator('.cyg-status'), 'nxcals');
	await shot('spark-panel-5-connected');
	assert.deepEqual(await accessibility(page, '.cyg-panel'), []);

	// The same after a reload, from what the server keeps.
	await reloadLab(page);
	await openPanel(page);
	await says(panel(page), words.connected.title('nxcals'));

	tell({ state: 'lost', cause: 'The driver was ended by the memory limit: 4.0 of 4 GB.', hint: 'Ask for more memory, or for smaller partitions.', idle_ends: null });
	await says(panel(page), 'The driver was ended by the memory limit');
	await button(page, words.copyReport).waitFor();
	await shot('spark-panel-6-lost');
	assert.deepEqual(await accessibility(page, '.cyg-panel'), []);
	await button(page, words.failed.again).click();
	await button(page, words.panel.connect).click();
	await says(panel(page), words.starting.title('nxcals'));
	await button(page, words.cancel).click();
	await untilAsked(fake, 'DELETE', /^connections\/s\d+$/);
	await says(panel(page), words.panel.none[0]);
	assert.deepEqual([seen.elsewhere, seen.errors, await page.locator('.jp-Dialog').count()], [[], [], 0]);
});

journey('what the agent refuses is said in the panel', async ({ page, cleanup }) => {
	const { fake } = await notebook({ page, cleanup });
	await openPanel(page);
	fake.state.refuse = 'This server has 4 GB; executors of 64 GB cannot start.';
	await button(page, words.panel.connect).click();
	await says(panel(page), fake.state.refuse);
	await button(page, words.panel.connect).waitFor();
});

// Tells an application with one cell's run, and then more of that run.
function running(fake, kernel) {
	const one = app(kernel, fake.base);
	fake.tell({ kind: 'app', app: one });
	return (more) => fake.tell({ kind: 'cell', app: one.app, cell: run(kernel, 'first', more) });
}

journey('a cell’s jobs are seen under it to the end, in two windows and after a reload', async ({ page, context, seen, cleanup, shot }) => {
	const { fake, kernel } = await notebook({ page, cleanup });
	await runCell(page, 'print("rows")');
	const tell = running(fake, kernel);
	tell({ seconds: 0, done: 0, plot: [] });
	assert.equal(await monitor(page).count(), 0);
	tell({ seconds: 14, done: 0.515 });
	await says(told(page), /412 of 800\stasks · 2\sexecutors/);
	await shot('spark-monitor-1-running');
	await monitor(page).getByRole('button', { name: words.monitor.show }).click();
	await says(monitor(page).locator('caption'), words.monitor.stages);
	await shot('spark-monitor-2-unfolded');
	assert.deepEqual(await accessibility(page, '.cyg-monitor'), []);
	const bar = monitor(page).getByRole('progressbar', { name: words.monitor.progress });
	assert.equal(await bar.getAttribute('aria-valuenow'), '52');

	const other = await context.newPage();
	await openLab(other, `${fake.url}lab/workspaces/other/tree/${NAME}`);
	await says(told(other), /412 of 800\stasks/);

	tell({ seconds: 30, done: 1, state: 'succeeded', ended: new Date().toISOString() });
	await says(told(page), /Done · 3\sjobs · 800\stasks/);
	await says(told(other), /Done · 3\sjobs · 800\stasks/);
	assert.equal(await bar.getAttribute('aria-valuenow'), '100');
	await other.close();
	await reloadLab(page);
	await says(told(page), /Done · 3\sjobs · 800\stasks · 30\ss/);
	await shot('spark-monitor-3-done');
	assert.deepEqual([seen.elsewhere, seen.errors], [[], []]);
});

journey('cancel is for the jobs of that cell, and a failed stage opens by itself', async ({ page, cleanup, shot }) => {
	const { fake, kernel } = await notebook({ page, cleanup });
	const tell = running(fake, kernel);
	tell({});
	await monitor(page).getByRole('button', { name: words.cancel }).press('Enter');
	await untilAsked(fake, 'POST', /cancel$/);
	assert.equal(lastAsked(fake, 'POST').path, 'apps/app-20260101120000-0000/cells/first/cancel');
	// The key was for the button: the notebook has not begun to edit the cell.
	assert.equal(await page.locator('.jp-Notebook.jp-mod-editMode').count(), 0);
	tell({ state: 'cancelled', ended: new Date().toISOString() });
	await says(told(page), words.monitor.states.cancelled);

	const failed = run(kernel, 'first', { msg: 'm2', done: 0.7 });
	const cause = 'java.io.FileNotFoundException: File file:/data/run3.parquet does not exist';
	Object.assign(failed.stage_list[1], { state: 'FAILED', failure: cause, tasks: count(200, 60, 0, { failed: 4 }) });
	tell({ ...failed, state: 'failed', failure: cause, ended: new Date().toISOString() });
	await says(monitor(page).locator('.cyg-failures'), 'run3.parquet does not exist');
	await shot('spark-monitor-4-failed');
	assert.deepEqual(await accessibility(page, '.cyg-monitor'), []);
	await monitor(page).getByRole('button', { name: words.monitor.hide }).click();
	await monitor(page).locator('.cyg-failures').waitFor({ state: 'detached' });

	// Run again: what the last run did is not what the cell does now.
	await runCell(page, 'print(1)');
	await monitor(page).first().waitFor({ state: 'detached' });
});

journey('cells that scroll out of sight and come back keep their monitor', async ({ page, cleanup }) => {
	const { fake, kernel } = await notebook({ page, cleanup });
	running(fake, kernel)({});
	await monitor(page).waitFor();
	await page.evaluate(() => document.querySelector('.jp-NotebookPanel .jp-Cell').click());
	await page.keyboard.press('Escape');
	for (let n = 0; n < 40; n++) await page.keyboard.press('b');
	await until(async () => await page.locator('.jp-Cell[data-windowed-list-index="40"]').count() > 0, 'forty cells');
	await page.locator('.jp-Notebook').press('Control+Home').catch(() => {});
	await page.evaluate(() => { document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0; });
	await monitor(page).waitFor();
	await says(told(page), /400 of 800\stasks/);
	assert.equal(await monitor(page).count(), 1);
});

for (const [name, options] of [
	['Notebook 7 at 390 px', { viewport: { width: 390, height: 844 } }], ['the dark', { colorScheme: 'dark' }],
]) {
	journey(`panel and monitor in ${name}`, async ({ page, cleanup, shot }) => {
		const dark = options.colorScheme === 'dark';
		const shown = (of) => of.waitForSelector('.jp-Notebook .jp-Cell:visible', { timeout: CEILING });
		const { fake, kernel } = await notebook({ page, cleanup }, dark ? { dark } : { address: 'notebooks', wait: shown });
		running(fake, kernel)({ done: 0.4 });
		await says(told(page), /320 of 800\stasks/);
		await shot(`spark-${dark ? 'dark' : 'narrow'}-1`);
		await monitor(page).getByRole('button', { name: words.monitor.show }).click();
		await shot(`spark-${dark ? 'dark' : 'narrow'}-2`);
		assert.deepEqual(await accessibility(page, '.cyg-monitor'), []);
		await openPanel(page);
		await says(panel(page), words.panel.none[0]);
		await shot(`spark-${dark ? 'dark' : 'narrow'}-3`);
		assert.deepEqual(await accessibility(page, '.cyg-panel'), []);
		const wide = await page.locator('.cyg-panel').evaluate((node) => node.scrollWidth - node.clientWidth);
		assert.ok(wide <= 0, `the panel scrolls sideways by ${wide} px`);
	}, options);
}

journey('a server of the demo site has the panel', async ({ page, cleanup }) => {
	const site = await demoSite();
	cleanup(() => site.stop());
	await signIn(page, site);
	await startWith(page);
	await untilLab(page);
	await page.getByRole('tab', { name: words.caption }).click();
	await says(panel(page), words.panel.noSpark[0]);
});

journey('a server without a cluster says so, and one whose hub is away still shows sessions', async ({ page, cleanup }) => {
	const { fake, kernel } = await notebook({ page, cleanup });
	fake.state.catalogue = { ...fake.state.catalogue, clusters: [], chosen: null };
	await reloadLab(page);
	await openPanel(page);
	await says(panel(page), words.panel.noSpark[0]);

	// The hub is away: what runs is known all the same.
	fake.state.catalogue = null;
	fake.tell({ kind: 'session', session: session(kernel, { id: 'there', state: 'ready' }) });
	await reloadLab(page);
	await openPanel(page);
	await says(panel(page), words.connected.title('In my server'));
	fake.tell({ kind: 'session', session: session(kernel, { id: 'there', state: 'gone' }) });
	await says(panel(page), 'The hub does not answer.');
});
