// One answer out of several, as native radio buttons: a row of small ones, or cards with facts.
import { h, muted } from './dom.mjs';
import { words } from './words.mjs';

const group = (name, kind, options) => h('fieldset', { class: 'choice', 'data-field': name }, h('legend', {}, words.form[name]), h('div', { class: kind }, options));

/** options: [{value, label}] */
export const radioRow = (name, chosen, options) =>
	group(name, 'row', options.map(({ value, label }) => h('label', { class: 'option' }, h('input', { type: 'radio', name, value, checked: value === chosen }), label)));

/** options: [{value, label, text, tag, facts: [{label, value}], reason}]; one with a reason cannot be chosen. */
export const cards = (name, chosen, options) =>
	group(name, 'stack', options.map(({ value, label, text, tag, facts, reason }) => {
		const id = `${name}-${value}`;
		return h('label', { class: 'option' },
			h('input', { type: 'radio', name, value, checked: value === chosen, disabled: reason, 'aria-labelledby': id, 'aria-describedby': `${id}-more` }),
			h('div', {}, h('b', { id }, label), tag && h('span', { class: 'tag' }, tag), h('div', { id: `${id}-more` }, text && muted(text),
				facts?.length && h('dl', { class: 'facts small' }, facts.map((f) => h('div', {}, h('dt', { class: 'muted' }, f.label), h('dd', {}, f.value)))),
				reason && h('p', { class: 'small' }, reason))));
	}));
