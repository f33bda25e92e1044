// Text fields and ticks with their hint and their error, tied together for screen readers.
import { h } from './dom.mjs';

export function textField({ name, label, hint, value = '', ...more }) {
  const id = `f-${name}`;
  const input = h('input', { id, name, autocapitalize: 'none', spellcheck: 'false', 'aria-describedby': `${id}-more`, ...more });
  input.value = value;
  return h('div', { class: 'field', 'data-field': name }, h('label', { for: id }, label), input,
    h('div', { id: `${id}-more` }, hint ? h('p', { class: 'hint' }, hint) : null));
}

export function tickField({ name, label, hint, value }) {
  const id = `f-${name}`;
  return h('div', { class: 'tick', 'data-field': name },
    h('input', { type: 'checkbox', id, name, checked: value, 'aria-describedby': `${id}-more` }),
    h('div', {}, h('label', { for: id }, label), h('p', { class: 'hint', id: `${id}-more` }, hint)));
}

/** Says what is wrong at the field, and moves there. Works for radio groups too. */
export function setWrong(field, text) {
  clearWrong(field);
  const input = field.querySelector('input:checked, input:not([type=radio])') ?? field.querySelector('input');
  input?.setAttribute('aria-invalid', 'true');
  field.append(h('p', { class: 'wrong', role: 'alert' }, text));
  input?.focus();
}

export function clearWrong(root) {
  for (const el of root.querySelectorAll('.wrong')) el.remove();
  for (const el of root.querySelectorAll('[aria-invalid]')) el.removeAttribute('aria-invalid');
}
