// Drives the portal as a user would. Texts come from the portal's own module, so tests follow them.
import { CEILING } from './places.mjs';
import { words } from '../../../src/web/static/words.mjs';

export { words };

export const pressed = (page, name) => page.getByRole('button', { name, exact: true });

export async function signIn(page, site, user = 'alice', password = site.password) {
	await page.goto(`${site.url}hub/`);
	await page.locator('input[name=username]').fill(user);
	await page.locator('input[name=password]').fill(password);
	await pressed(page, words.signIn.button).click();
	await pressed(page, words.signOut).waitFor({ timeout: CEILING });
}

// Opens the form, picks the choice with each label (texts or patterns), and starts.
export async function startWith(page, labels = []) {
	await page.getByRole('button', { name: words.home.change }).click();
	await page.waitForURL(/\/hub\/spawn/);
	for (const label of labels) await page.getByRole('radio', { name: label }).check({ force: true });
	await pressed(page, words.home.start).click();
}

// Waits until the portal has led on to JupyterLab.
export async function untilLab(page, ceiling = CEILING) {
	await page.waitForURL(/\/user\/[^/]+\/lab/, { timeout: ceiling });
}

export async function stopServer(page, site) {
	await page.goto(`${site.url}hub/home`);
	await pressed(page, words.home.stop).click();
	const dialog = page.getByRole('button', { name: words.home.stopAnyway });
	const start = pressed(page, words.home.start);
	await dialog.or(start).first().waitFor({ timeout: CEILING });
	if (await dialog.isVisible()) await dialog.click();
	await start.waitFor({ timeout: CEILING });
}
