// A text field or a tick with its hint and its error, tied together for screen readers.
import { h } from './dom.mjs';

/** `more`: further attributes of the input; with type 'checkbox' it is a tick. */
export const field = (name, [label, hint], value, more) =>
	h('div', { class: more?.type === 'checkbox' ? 'tick' : 'field', 'data-field': name }, h('label', { for: name }, label),
		h('input', { id: name, name, value, autocapitalize: 'none', spellcheck: 'false', 'aria-describedby': hint && `${name}-hint`, ...more }),
		hint && h('p', { class: 'small muted', id: `${name}-hint` }, hint));

/** Says what is wrong at the field, and moves there; radio groups too. */
export function setWrong(el, text) {
	const input = el.querySelector(':checked') ?? el.querySelector('input');
	input.setAttribute('aria-invalid', 'true');
	el.append(h('p', { class: 'wrong', role: 'alert' }, text));
	input.focus();
}

export function clearWrong(root) {
	for (const el of root.querySelectorAll('.wrong')) el.remove();
	for (const el of root.querySelectorAll('[aria-invalid]')) el.removeAttribute('aria-invalid');
}
