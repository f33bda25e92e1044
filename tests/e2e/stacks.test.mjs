// Two stacks make two environments; a script of one's own, packages of the home, R; and scripts that fail.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { journey } from './lib/journey.mjs';
import { newNotebook, newTerminal, openLab, runCell, typeTerminal } from './lib/lab.mjs';
import { CEILING } from './lib/places.mjs';
import { pressed, signIn, stopServer, untilLab, words } from './lib/portal.mjs';
import { demoSite } from './lib/site.mjs';

const VERSION = 'import numpy; print(numpy.__version__)';
const shown = (form) => form.getByRole('button', { name: words.home.start, exact: true });

// Fills the form: the environment, the script (a path below the home, or nothing), packages of the home.
async function fill(page, { stack, script = '', packages = false }) {
	const change = page.getByRole('button', { name: words.home.change });
	await change.click();
	await page.waitForURL(/\/hub\/spawn/);
	await page.getByRole('radio', { name: new RegExp(`^${stack}`) }).check({ force: true });
	await page.locator('input[name=user_script]').fill(script);
	await page.locator('input[name=home_packages]').setChecked(packages, { force: true });
	await shown(page).click();
}

async function labWith(page, site, answers) {
	await fill(page, answers);
	await untilLab(page);
	await openLab(page, `${site.url}user/alice/lab/workspaces/${answers.stack}-${Math.random().toString(36).slice(2)}`);
}

// Text of a file below the home, once it is there.
async function fileOf(page, site, name) {
	for (const end = Date.now() + CEILING; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 100))) {
		const answer = await page.request.get(`${site.url}user/alice/files/${name}`);
		if (answer.ok()) return (await answer.text()).trim();
	}
	throw new Error(`${name} did not come`);
}

journey('two stacks are two environments, with a script and packages of the home', async ({ page, cleanup, shot }) => {
	const site = await demoSite();
	cleanup(() => site.stop());
	await signIn(page, site);

	// The form with both, on a narrow and on a wide page.
	await page.getByRole('button', { name: words.home.change }).click();
	await page.waitForURL(/\/hub\/spawn/);
	await shown(page).waitFor();
	for (const [width, height] of [[390, 844], [1440, 900]]) {
		await page.setViewportSize({ width, height });
		await page.evaluate(() => scrollTo(0, 0));
		await shot(`stacks-form-${width}`);
	}
	await page.goto(`${site.url}hub/home`);

	// A choice that the form does not offer is refused, also when it is posted directly.
	const answers = { profile: 'standard', stack: '2026a', cores: 1, memory_mb: 2048 };
	for (const [field, value] of [['stack', '1999z'], ['cluster', 'own'], ['memory_mb', 65536], ['cores', 64],
		['user_script', '../bob/x.sh'], ['profile', 'root']]) {
		const refused = await page.request.post(`${site.url}hub/api/users/alice/server`,
			{ data: { user_options: { ...answers, [field]: value } }, headers: { Origin: new URL(site.url).origin } });
		assert.equal(refused.status(), 400, field);
		assert.equal((await refused.json()).cygnet.field, field);
	}

	// The newer stack; what the next start needs is made in the home.
	await labWith(page, site, { stack: '2026a' });
	await newNotebook(page, /Python 3/);
	assert.equal((await runCell(page, VERSION)).text, '2.4.6');
	await runCell(page, `
import pathlib, zipfile
with zipfile.ZipFile('own_module-1-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('own_module.py', 'answer = 42\\n')
    for name, text in dict(METADATA='Metadata-Version: 2.1\\nName: own-module\\nVersion: 1\\n', RECORD='',
                           WHEEL='Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n').items():
        wheel.writestr('own_module-1.dist-info/' + name, text)
pathlib.Path('mine.sh').write_text('export MY_CHOICE="from the script of $USER"\\n')
pathlib.Path('fails.sh').write_text('echo the beginning\\necho this cannot work >&2\\nexit 3\\n')
pathlib.Path('hangs.sh').write_text('echo waiting for a tree that is down\\nsleep 1000\\n')`);
	// The form's own words say how packages come into the home.
	const [command] = words.form.home_packages[1].match(/pip install --target "[^"]+"/);
	const pip = await runCell(page, `!${command} --no-index own_module-1-py3-none-any.whl`);
	assert.match(pip.text, /Successfully installed own-module-1/);
	const without = await runCell(page, 'try:\n    import own_module\nexcept ImportError as why:\n    print("no", why.name)');
	assert.equal(without.text, 'no own_module');
	await stopServer(page, site);

	// The older one, with the script and the packages.
	await labWith(page, site, { stack: '2025b', script: 'mine.sh', packages: true });
	await newNotebook(page, /Python 3/);
	assert.equal((await runCell(page, VERSION)).text, '2.2.6');
	assert.equal((await runCell(page, 'import own_module; print(own_module.answer)')).text, '42');
	assert.equal((await runCell(page, 'import os; print(os.environ["MY_CHOICE"])')).text, 'from the script of alice');
	await openLab(page, `${site.url}user/alice/lab/workspaces/terminal`);
	await newTerminal(page);
	await typeTerminal(page, 'echo "$MY_CHOICE" > part.txt; python -c "import numpy; print(numpy.__version__)" >> part.txt; mv part.txt terminal.txt');
	assert.equal(await fileOf(page, site, 'terminal.txt'), 'from the script of alice\n2.2.6');
	await stopServer(page, site);

	// A script that fails ends the start, with its last line on the page.
	await fill(page, { stack: '2025b', script: 'fails.sh' });
	await page.getByText('this cannot work').first().waitFor();
	await page.getByText('Running your own script').first().waitFor();
	await shot('stacks-script-fails');
	await page.goto(`${site.url}hub/home`);
	await pressed(page, words.home.start).waitFor();
}, { timeout: 8 * CEILING });

journey('a script that does not end ends the start at its deadline', async ({ page, cleanup, shot }) => {
	const site = await demoSite({
		edit(config) {
			const file = path.join(config, 'templates.yaml');
			writeFileSync(file, readFileSync(file, 'utf8').replaceAll('setup-seconds: 60', 'setup-seconds: 3'));
		},
	});
	cleanup(() => site.stop());
	await signIn(page, site);
	await labWith(page, site, { stack: '2025b' });
	await newNotebook(page, /Python 3/);
	await runCell(page, 'open("hangs.sh", "w").write("echo waiting for a tree that is down\\nsleep 1000\\n");');
	await stopServer(page, site);
	await fill(page, { stack: '2025b', script: 'hangs.sh' });
	// Headline and list say what is going on, and only that.
	await page.waitForFunction((wanted) => {
		const running = [...document.querySelectorAll('.stages .running .name')].map((name) => name.firstChild.textContent);
		return running.join() === wanted && document.querySelector('.line').textContent === `${wanted}…`;
	}, 'Running your own script');
	await page.getByText('waiting for a tree that is down').first().waitFor();
	await page.getByText(/did not end in time/).first().waitFor();
	await shot('stacks-script-hangs');
}, { timeout: 5 * CEILING });

journey('R is a second language', async ({ page, cleanup, shot }) => {
	const site = await demoSite();
	cleanup(() => site.stop());
	await signIn(page, site);
	await labWith(page, site, { stack: '2026a' });
	await newNotebook(page, /R\s*$/);
	assert.equal((await runCell(page, 'print(6 * 7)')).text, '[1] 42');
	const version = await runCell(page, 'cat(R.version$language, nchar(system.file(package = "IRkernel")) > 0)');
	assert.equal(version.text, 'R TRUE');
	await shot('stacks-r');
	await stopServer(page, site);
}, { timeout: 4 * CEILING });
