// Text fields and ticks with their hint and their error, tied together for screen readers.
import { h } from './dom.mjs';

export const textField = (name, [label, hint], value, more) =>
	h('div', { class: 'field', 'data-field': name }, h('label', { for: name }, label),
		h('input', { id: name, name, value, autocapitalize: 'none', spellcheck: 'false', 'aria-describedby': hint && `${name}-hint`, ...more }),
		hint && h('p', { class: 'hint', id: `${name}-hint` }, hint));

export const tickField = (name, [label, hint], checked) =>
	h('div', { class: 'tick', 'data-field': name }, h('input', { type: 'checkbox', id: name, name, checked, 'aria-describedby': `${name}-hint` }),
		h('div', {}, h('label', { for: name }, label), h('p', { class: 'hint', id: `${name}-hint` }, hint)));

/** Says what is wrong at the field, and moves there; radio groups too. */
export function setWrong(field, text) {
	const input = field.querySelector(':checked') ?? field.querySelector('input');
	input.setAttribute('aria-invalid', 'true');
	field.append(h('p', { class: 'wrong', role: 'alert' }, text));
	input.focus();
}

export function clearWrong(root) {
	for (const el of root.querySelectorAll('.wrong')) el.remove();
	for (const el of root.querySelectorAll('[aria-invalid]')) el.removeAttribute('aria-invalid');
}
