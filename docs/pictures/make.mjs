// Makes the pictures of the README by a real run of the demo site in Chromium: the start form, the stages of a
// start, a fresh notebook with Spark. Use, after `make` and `tests/support/install.sh test`:
//   tests/support/netns.sh "$(tests/support/cache.sh e2e)/node" docs/pictures/make.mjs
import path from 'node:path';
import { launch } from '../../tests/e2e/lib/journey.mjs';
import { newNotebook, openLab, runCell } from '../../tests/e2e/lib/lab.mjs';
import { CEILING, JVM_CEILING, ROOT } from '../../tests/e2e/lib/places.mjs';
import { pressed, signIn, stopServer, words } from '../../tests/e2e/lib/portal.mjs';
import { demoSite } from '../../tests/e2e/lib/site.mjs';

const picture = (name) => path.join(ROOT, 'docs/pictures', name);

async function fillForm(page) {
	await page.goto(`${site.url}hub/home`);
	await page.getByRole('button', { name: words.home.change }).click();
	await page.waitForURL(/\/hub\/spawn/);
	for (const label of [/^Spark/, /A cluster of your own/]) await page.getByRole('radio', { name: label }).check({ force: true });
}

// A start takes a fraction of a second; with a script of one's own that takes some there is time for a picture.
const SCRIPT = 'export ANALYSIS=2026\nsleep 5\n';

const site = await demoSite();
const browser = await launch();
try {
	const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
	context.setDefaultTimeout(CEILING);
	const page = await context.newPage();
	await signIn(page, site);
	await fillForm(page);
	await page.screenshot({ path: picture('form.png'), fullPage: true });
	// A first start, which makes the home and tells how long each stage usually takes.
	await pressed(page, words.home.start).click();
	await page.waitForURL(/\/user\/[^/]+\/lab/, { timeout: CEILING });
	const put = await page.request.put(`${site.url}user/alice/api/contents/setup.sh`, {
		headers: { Origin: new URL(site.url).origin }, data: { type: 'file', format: 'text', content: SCRIPT },
	});
	if (!put.ok()) throw new Error(`the script cannot be saved: ${put.status()} ${await put.text()}`);
	await stopServer(page, site);
	await fillForm(page);
	await page.locator('input[name=user_script]').fill('setup.sh');
	await pressed(page, words.home.start).click();
	await page.locator('ol.stages li.running').first().waitFor({ timeout: CEILING });
	await page.screenshot({ path: picture('stages.png') });
	await page.waitForURL(/\/user\/[^/]+\/lab/, { timeout: CEILING });
	await openLab(page, `${site.url}user/alice/lab`);
	await newNotebook(page, /Python 3/);
	await runCell(page, 'spark.range(10**7).selectExpr("sum(id)").show()', JVM_CEILING);
	const news = page.getByRole('button', { name: 'No', exact: true });
	await news.click();
	await news.waitFor({ state: 'detached' });
	await page.screenshot({ path: picture('spark.png') });
	await stopServer(page, site);
} finally {
	await browser.close();
	await site.stop();
}
