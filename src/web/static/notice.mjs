// A notice: what happened, why, what to do now; and the technical lines under it with "Copy report".
import { actions, button, h, icon } from './dom.mjs';
import { words } from './words.mjs';

/** kind: 'bad', 'warn', 'good', 'info'. Strings become paragraphs. */
export const notice = (kind, title, ...parts) =>
	h('section', { class: `notice ${kind}` }, icon(kind), h('div', { class: 'stack' }, h('p', {}, h('b', {}, title)), parts.map((part) => (typeof part === 'string' && part ? h('p', {}, part) : part))));

/** Copies what text() gives and says so beside the button; with a fall-back where pages get no clipboard. */
export function copyButton(label, text) {
	const said = h('span', { class: 'small muted', role: 'status' });
	const el = button(label, async () => {
		let done = true;
		try {
			await navigator.clipboard.writeText(text());
		} catch {
			const area = h('textarea', { class: 'unseen' }, text());
			el.after(area);
			area.select();
			done = document.execCommand('copy');
			area.remove();
			el.focus();
		}
		said.textContent = done ? words.copied : words.notCopied;
	}, 'quiet');
	return actions(el, said);
}

/** A second net below the hub's own: nothing that looks like a secret is shown or leaves by a report. */
const redact = (line) => line.replace(/((secret|token|passw\w*|cookie|authorization|key)["']?\s*[=:]\s*)\S.*/gi, '$1(hidden)').replace(/[\w+/=-]{40,}/g, '(hidden)');

/** Technical lines, folded; nothing if there are none. */
export const technical = (lines, open) =>
	lines?.length && h('details', { open }, h('summary', {}, words.details(lines.length)), h('pre', { tabindex: 0 }, lines.map(redact).join('\n')));

/** Facts are lines, or arrays of lines. */
export const reportButton = (site, user, facts) =>
	copyButton(words.copyReport, () => [`Cygnet ${site.version}, ${site.name}, ${user}, ${new Date().toISOString()}`, ...facts().flat()].filter(Boolean).map(redact).join('\n'));
