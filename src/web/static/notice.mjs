// A notice: what happened, why, what to do now; and the technical lines under it with "Copy report".
import { actions, button, fill, h, icon, p } from './dom.mjs';
import { words } from './words.mjs';

/** kind: 'bad', 'warn', 'good', 'info'. Strings become paragraphs. */
export const notice = (kind, title, ...parts) =>
	h('section', { class: `notice ${kind}` }, icon(kind), h('div', { class: 'stack' }, p(h('b', {}, title)), parts.map((part) => (typeof part === 'string' && part ? p(part) : part))));

/** A place for what goes wrong with an action, and the function that fills it (or, without an error, clears it). */
export function problemBox() {
	const el = h('div', { role: 'alert' });
	return [el, (err) => fill(el, err && notice('bad', err.message))];
}

/** Copies what text() gives and says so beside the button. */
export function copyButton(label, text) {
	const said = h('span', { class: 'small muted', role: 'status' });
	const copy = async () => {
		const done = await navigator.clipboard?.writeText(text()).then(() => true, () => false);
		said.textContent = done ? words.copied : words.notCopied;
	};
	return actions(button(label, copy, 'quiet'), said);
}

/** A second net below the hub's: nothing that looks like a secret is shown. */
const redact = (line) => line.replace(/((secret|token|passw\w*|cookie|authorization|key)["']?\s*[=:]\s*)\S.*/gi, '$1(hidden)').replace(/[\w+/=-]{40,}/g, '(hidden)');

/** Technical lines, folded; nothing if there are none. */
export const technical = (lines, open) =>
	lines?.length && h('details', { open }, h('summary', {}, words.details(lines.length)), h('pre', { tabindex: 0 }, lines.map(redact).join('\n')));

/** Facts are lines, or arrays of lines. */
export const reportButton = (site, user, facts) =>
	copyButton(words.copyReport, () => [`Cygnet ${site.version}, ${site.name}, ${user}, ${new Date().toISOString()}`, ...facts().flat()].filter(Boolean).map(redact).join('\n'));
