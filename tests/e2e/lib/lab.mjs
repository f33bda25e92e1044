// Drives JupyterLab 4 (and Notebook 7's notebook page) as a user would: open, type, run, read, save.
// The same calls serve stock jupyter_server and our agent.
import { writeFileSync } from 'node:fs';
import { CEILING } from './places.mjs';

const PANEL = '.jp-NotebookPanel:not(.lm-mod-hidden)';
const cellAt = (page, index) => page.locator(`${PANEL} .jp-Cell[data-windowed-list-index="${index}"]`);

// Lab's indicator says "idle" before there is a kernel at all, and a cell run then is dropped: so we also look
// at the kernel's own first reply on the page's WebSocket (its type is plain text in both framings).
const kernelAnswers = new WeakMap();

function followKernels(page) {
	if (!kernelAnswers.has(page)) {
		page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => {
			if (payload.includes('kernel_info_reply')) kernelAnswers.get(page).count++;
		}));
	}
	kernelAnswers.set(page, { count: 0 });
}

// Asks again and again until the condition holds; for what no event tells.
export async function until(condition, what, ceiling = CEILING) {
	for (const end = Date.now() + ceiling; !(await condition()); await new Promise((resolve) => setTimeout(resolve, 20))) {
		if (Date.now() > end) throw new Error(`not within ${ceiling} ms: ${what}`);
	}
}

// Lab is there when its launcher, or a document, is; url is the address of /lab or /lab/tree/FILE.
export async function openLab(page, url) {
	followKernels(page);
	await page.goto(url, { waitUntil: 'domcontentloaded', timeout: CEILING });
	await labIsThere(page);
}

// Loads the page again, as a user might. What comes back is what the address names; a cell
// may only be run after waitIdle.
export async function reloadLab(page) {
	followKernels(page);
	await page.reload({ waitUntil: 'domcontentloaded', timeout: CEILING });
	await labIsThere(page);
}

export async function labIsThere(page) {
	await page.waitForSelector(`.jp-Launcher-section, ${PANEL}, .jp-FileEditor`, { timeout: CEILING });
	await page.waitForSelector('#jupyterlab-splash', { state: 'detached', timeout: CEILING });
}

// A fresh notebook from the launcher's card of that kernel ("Python 3" matches "Python 3 (ipykernel)").
export async function newNotebook(page, kernel = 'Python 3') {
	await page.locator('.jp-LauncherCard[data-category="Notebook"]', { hasText: kernel }).first().click();
	await waitIdle(page);
}

// The notebook's kernel is connected and has nothing to do.
export async function waitIdle(page, ceiling = CEILING) {
	// Any: after a reload Lab may keep a hidden first cell beside the one that it shows.
	await page.waitForSelector(`${PANEL} .jp-Notebook .jp-Cell:visible`, { timeout: ceiling });
	await until(() => kernelAnswers.get(page).count > 0, 'the kernel says who it is', ceiling);
	await page.waitForSelector(`${PANEL} .jp-Notebook-ExecutionIndicator[data-status="idle"]`, { timeout: ceiling });
}

// Types code into the last cell and runs it with Shift+Enter; does not wait. Returns the cell's index.
export async function enterCell(page, code) {
	const cells = page.locator(`${PANEL} .jp-Cell[data-windowed-list-index]`);
	const index = Number(await cells.last().getAttribute('data-windowed-list-index'));
	const cell = cellAt(page, index);
	await cell.locator('.cm-content').click();
	await page.keyboard.press('Control+A');
	// As one input: typed key by key, the editor would close brackets by itself.
	await page.keyboard.insertText(code);
	await page.keyboard.press('Shift+Enter');
	return index;
}

// Waits until the cell has its number ([*] while it runs), then gives what it shows.
export async function finishCell(page, index, ceiling = CEILING) {
	await page.waitForFunction(
		([panel, at]) => {
			const prompt = document.querySelector(`${panel} .jp-Cell[data-windowed-list-index="${at}"] .jp-InputPrompt`);
			return prompt !== null && /^\[\d+\]:?$/.test(prompt.textContent.trim());
		}, [PANEL, index], { timeout: ceiling });
	return outputs(page, index);
}

// {text, errors, images} of a cell's output area.
export async function outputs(page, index) {
	const area = cellAt(page, index).locator('.jp-OutputArea-output');
	const errors = cellAt(page, index).locator('.jp-OutputArea-output[data-mime-type*="error"], .jp-OutputArea-output[data-mime-type*="stderr"]');
	return {
		text: (await area.allInnerTexts()).join('\n').trim(),
		errors: (await errors.allInnerTexts()).join('\n').trim(),
		images: await cellAt(page, index).locator('.jp-OutputArea-output img').count(),
	};
}

// Types, runs, waits, reads.
export async function runCell(page, code, ceiling = CEILING) {
	return finishCell(page, await enterCell(page, code), ceiling);
}

// Replies to input() of the running cell.
export async function answerInput(page, text) {
	await page.locator(`${PANEL} input.jp-Stdin-input`).fill(text);
	await page.keyboard.press('Enter');
}

// A notebook with no cells yet, written where a server will find it: a journey that opens it by name has no
// rename in its way (on a busy machine stock Lab asks for the checkpoint of a name that is gone, and gets a 500).
export function writeNotebook(file, kernel = 'python3') {
	writeFileSync(file, JSON.stringify({
		cells: [{ cell_type: 'code', execution_count: null, id: 'first', metadata: {}, outputs: [], source: [] }],
		metadata: { kernelspec: { display_name: 'Python 3 (ipykernel)', language: 'python', name: kernel } },
		nbformat: 4, nbformat_minor: 5,
	}, null, 1));
}

// Saves and gives the PUT's status. An Untitled notebook asks for its name the first time: name answers that
// (Lab writes the old name, renames, then asks for a checkpoint, which ends each save).
export async function save(page, name) {
	const answer = (method, part) => page.waitForResponse((response) =>
		response.request().method() === method && new URL(response.url()).pathname.includes(part));
	const steps = [answer('PUT', '/api/contents/'), answer('POST', '/checkpoints')];
	if (name !== undefined) steps.push(answer('PATCH', '/api/contents/'));
	await page.keyboard.press('Control+S');
	if (name !== undefined) {
		const dialog = page.locator('.jp-Dialog');
		await dialog.locator('input.jp-mod-styled').first().fill(name);
		await dialog.locator('.jp-mod-accept').click();
	}
	return (await Promise.all(steps))[0].status();
}

// What the contents API says of a path; base is the server's base URL with its slash.
export async function contents(page, base, path) {
	const answer = await page.request.get(`${base}api/contents/${path}`);
	return answer.ok() ? answer.json() : Promise.reject(new Error(`${answer.status()} ${path}`));
}

// Restarts the kernel by the toolbar's button.
export async function restart(page) {
	await page.locator(`${PANEL} .jp-Toolbar [data-jp-item-name="restart"] jp-button, ${PANEL} .jp-Toolbar [data-jp-item-name="restart"] button`).first().click();
	kernelAnswers.set(page, { count: 0 });
	await page.locator('.jp-Dialog .jp-mod-accept').click();
	await waitIdle(page);
}

// A terminal from the launcher; its text is what xterm has drawn.
export async function newTerminal(page) {
	await page.locator('.jp-LauncherCard[data-category="Other"]', { hasText: 'Terminal' }).first().click();
	await page.waitForSelector('.jp-Terminal .xterm-helper-textarea', { state: 'attached' });
}

export async function typeTerminal(page, line) {
	await page.locator('.jp-Terminal:not(.lm-mod-hidden) .xterm-helper-textarea').focus();
	await page.keyboard.insertText(line);
	await page.keyboard.press('Enter');
}
