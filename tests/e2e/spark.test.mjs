// Spark in a fresh notebook with nothing configured: a cluster started for this server alone.
import assert from 'node:assert/strict';
import { accessibility, journey } from './lib/journey.mjs';
import { contents, newNotebook, newTerminal, openLab, reloadLab, runCell, typeTerminal, until } from './lib/lab.mjs';
import { pressed, signIn, startWith, stopServer, untilLab, words } from './lib/portal.mjs';
import { CEILING, JVM_CEILING } from './lib/places.mjs';
import { demoSite } from './lib/site.mjs';

const SUM = '49999995000000';

journey('Spark in a fresh notebook', async ({ page, cleanup, shot }) => {
	const site = await demoSite();
	cleanup(() => site.stop());
	await signIn(page, site);
	await startWith(page, [/^Spark/, /A cluster of your own/]);
	await untilLab(page);
	await openLab(page, `${site.url}user/alice/lab`);
	await newNotebook(page, /Python 3/);

	// The line of the promise, as the first thing that happens in the notebook.
	const line = await runCell(page, 'spark.range(10**7).selectExpr("sum(id)").show()', JVM_CEILING);
	assert.match(line.text, new RegExp(SUM));
	await shot('spark-1-notebook');

	// Authenticated and encrypted, as the driver itself knows it; the secret is in no place that users see.
	const looked = await runCell(page, `
import glob, json, os, re
conf = dict(sc.getConf().getAll())
secret = re.search(r'spark.authenticate.secret (\\S+)', open(os.environ['SPARK_CONF_DIR'] + '/spark-defaults.conf').read()).group(1)
def holds(path):
    try:
        return secret in open(path, 'rb').read().decode('latin-1')
    except OSError:
        return False
environ = [open(os.path.dirname(f) + '/cmdline').read() for f in glob.glob('/proc/[0-9]*/environ') if holds(f)]
print(json.dumps(dict(
    conf={k: conf.get(k) for k in ('spark.authenticate', 'spark.network.crypto.enabled', 'spark.network.crypto.cipher',
        'spark.network.crypto.authEngineVersion', 'spark.network.crypto.saslFallback', 'spark.io.encryption.enabled', 'spark.master')},
    arguments=[f for f in glob.glob('/proc/[0-9]*/cmdline') if holds(f)],
    others=[c for c in environ if 'CoarseGrainedExecutorBackend' not in c and 'pyspark' not in c],
    home=[os.path.join(d, f) for d, _, fs in os.walk(os.path.expanduser('~')) for f in fs if holds(os.path.join(d, f))],
    logs=[f for f in glob.glob('/run/cygnet/log/*') if holds(f)],
    connections=[f for f in glob.glob('/run/cygnet/connection/*') if holds(f)],
)))`, JVM_CEILING);
	const seen = JSON.parse(looked.text.split('\n').at(-1));
	assert.deepEqual({ ...seen.conf, 'spark.master': undefined }, {
		'spark.authenticate': 'true', 'spark.network.crypto.enabled': 'true', 'spark.network.crypto.cipher': 'AES/GCM/NoPadding',
		'spark.network.crypto.authEngineVersion': '2', 'spark.network.crypto.saslFallback': 'false',
		'spark.io.encryption.enabled': 'true', 'spark.master': undefined,
	});
	assert.match(seen.conf['spark.master'], /^spark:\/\/127\.0\.0\.1:\d+$/);
	assert.deepEqual([seen.arguments, seen.others, seen.home, seen.logs, seen.connections], [[], [], [], [], []]);

	// What a cell does is told below it, and the same again after a reload.
	const monitor = page.locator('.cyg-monitor');
	await runCell(page, 'sc.parallelize(range(8), 4).map(lambda n: __import__("time").sleep(1) or (n % 3, n)).groupByKey().count()', JVM_CEILING);
	await until(async () => /8\/8|done|\b8\b/.test(await monitor.last().innerText()), 'the bar reaches its end', CEILING);
	await shot('spark-2-monitor');
	const apps = async () => (await (await page.request.get(`${site.url}user/alice/api/cygnet/spark/apps`)).json()).apps;
	let seenCells = [];
	await until(async () => (seenCells = (await apps()).at(-1).cells).every((one) => one.state === 'succeeded') && seenCells.length >= 2, 'the record', CEILING);
	const stages = seenCells.at(-1).stages;
	assert.deepEqual([stages.total, stages.done, seenCells.at(-1).tasks.done], [2, 2, 8]);
	const bars = await monitor.count();
	await page.keyboard.press('Control+s');
	await until(async () => (await contents(page, `${site.url}user/alice/`, 'Untitled.ipynb')).content.cells.length >= 3, 'the notebook is saved', CEILING);
	await reloadLab(page);
	await until(async () => await monitor.count() === bars, 'the same after a reload', CEILING);
	assert.deepEqual((await apps()).at(-1).cells, seenCells);

	// The panel knows the session that the line of code made; the UI is one click away, and its scripts work below our path.
	await page.locator('.cyg-status').first().click();
	const panel = page.locator('.cyg-view');
	await panel.waitFor({ timeout: CEILING });
	await shot('spark-3-panel');
	assert.deepEqual(await accessibility(page, '.cyg-view'), []);
	const ui = await page.context().newPage();
	const problems = [];
	ui.on('pageerror', (error) => problems.push(error.message));
	for (const [name, text] of [['jobs', /Completed Jobs/], ['stages', /Completed Stages/], ['executors', /127\.0\.0\.1/], ['SQL', /Showing 1 to/], ['environment', /spark\.master/], ['storage', /Storage/]]) {
		await ui.goto(`${new URL((await apps()).at(-1).ui, site.url)}${name}/`);
		await ui.locator('body').filter({ hasText: text }).waitFor({ timeout: CEILING });
	}
	await ui.goto(`${new URL((await apps()).at(-1).ui, site.url)}executors/`);
	await ui.locator('#active-executors-table tbody tr').first().waitFor({ timeout: CEILING });
	await ui.screenshot({ path: 'build/screenshots/spark-4-ui.png' });
	assert.deepEqual(problems, []);
	assert.equal(await ui.evaluate(async (address) => fetch(address).then(() => 'fetched', () => 'refused'), `${site.url}hub/api/user`), 'refused');
	await ui.close();

	// Which value came from where, on a page of its own.
	await page.goto(`${site.url}hub/spark`);
	await page.getByText('spark.authenticate.secret').waitFor();
	assert.ok((await page.locator('main').innerText()).includes(words.spark.hidden));
	await shot('spark-5-settings');

	// The same from a terminal and for plain PySpark: no line of configuration either.
	await openLab(page, `${site.url}user/alice/lab/workspaces/terminal`);
	await newTerminal(page);
	await typeTerminal(page, `printf 'from pyspark.sql import SparkSession\\nSparkSession.builder.getOrCreate().range(10**7).selectExpr("sum(id)").show()\\n' > job.py; $SPARK_HOME/bin/spark-submit job.py > submitted.txt 2>&1; echo finished > done.txt`);
	await until(async () => (await page.request.get(`${site.url}user/alice/api/contents/done.txt`)).ok(), 'the job in the terminal ends', JVM_CEILING);
	const submitted = (await contents(page, `${site.url}user/alice/`, 'submitted.txt')).content;
	assert.match(submitted, new RegExp(SUM));

	await stopServer(page, site);
	await pressed(page, words.signOut).click();
}, { timeout: 3 * JVM_CEILING });
