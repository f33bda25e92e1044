// A notice: what happened, why, what to do now; and the technical lines under it with "Copy report".
import { button, h, icon } from './dom.mjs';
import { words } from './words.mjs';

/** kind: 'bad', 'warn', 'good', 'info'. Strings become paragraphs. */
export function notice(kind, title, ...parts) {
  const body = parts.filter(Boolean).map((part) => (typeof part === 'string' ? h('p', {}, part) : part));
  return h('section', { class: `notice ${kind}` }, icon(kind), h('div', {}, h('p', {}, h('b', {}, title)), body));
}

/** Copies and says so beside the button; falls back where the clipboard is not given to pages. */
export function copyButton(label, text) {
  const said = h('span', { class: 'small muted', role: 'status' });
  const el = button(label, async () => {
    let done = true;
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      const area = h('textarea', { class: 'unseen', 'aria-hidden': 'true' });
      area.value = text();
      document.body.append(area);
      area.select();
      done = document.execCommand('copy');
      area.remove();
      el.focus();
    }
    said.textContent = done ? words.copied : words.notCopied;
  }, 'quiet');
  return h('div', { class: 'actions' }, el, said);
}

/** Lines folded away; `report` (optional) gives the text of "Copy report". */
export function technical(lines, { open = false, report } = {}) {
  if (!lines?.length && !report) return null;
  return h('div', { class: 'technical' },
    lines?.length ? h('details', { open }, h('summary', {}, words.details(lines.length)), h('pre', { tabindex: '0' }, lines.map(redact).join('\n'))) : null,
    report ? copyButton(words.copyReport, report) : null);
}

/** A second net below the hub's own: nothing that looks like a secret leaves by a report. */
export const redact = (line) =>
  line.replace(/((?:secret|token|password|passwd|cookie|authorization|key)\b["']?\s*[=:]\s*)\S+.*/gi, '$1(hidden)').replace(/[A-Za-z0-9+/_=-]{40,}/g, '(hidden)');

/** The text of a report: pairs of name and value, arrays as indented lines. */
export function reportText(facts) {
  const out = [words.report.head];
  for (const [name, value] of Object.entries(facts)) {
    if (value === null || value === undefined || value.length === 0) continue;
    if (Array.isArray(value)) out.push(`${words.report[name]}:`, ...value.map((line) => `  ${redact(line)}`));
    else out.push(`${words.report[name]}: ${redact(String(value))}`);
  }
  return `${out.join('\n')}\n`;
}
