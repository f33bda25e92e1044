// Spark in a fresh notebook with nothing configured: a cluster started for this server alone.
import assert from 'node:assert/strict';
import { journey } from './lib/journey.mjs';
import { contents, newNotebook, newTerminal, openLab, runCell, typeTerminal, until } from './lib/lab.mjs';
import { pressed, signIn, startWith, stopServer, untilLab, words } from './lib/portal.mjs';
import { JVM_CEILING } from './lib/places.mjs';
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

	// Every job carries the cell that started it.
	const tags = await runCell(page, `
sc.parallelize(range(10)).count()
import urllib.request
url = f"http://127.0.0.1:{sc.getConf().get('spark.ui.port')}/api/v1/applications/{sc.applicationId}/jobs"
jobs = json.load(urllib.request.urlopen(url))
cell = get_ipython().kernel.get_parent('shell')['metadata']['cellId']
print([t for t in jobs[0]['jobTags'] if t.startswith('cyg-cell-')] == ['cyg-cell-' + cell], all(any(t.startswith('cyg-cell-') for t in j['jobTags']) for j in jobs))`, JVM_CEILING);
	assert.match(tags.text, /True True/);

	// Which value came from where, on a page of its own.
	await page.goto(`${site.url}hub/spark`);
	await page.getByText('spark.authenticate.secret').waitFor();
	assert.ok((await page.locator('main').innerText()).includes(words.spark.hidden));
	await shot('spark-2-settings');

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
