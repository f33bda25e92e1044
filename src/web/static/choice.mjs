// One value out of several, as native radio buttons: kind 'row' for small ones, 'stack' for cards with facts.
import { h, muted, p } from './dom.mjs';
import { words } from './words.mjs';

/** options: [{value, label, text, tag, facts: [{label, value}], reason}]; one with a reason cannot be chosen. */
export const choices = (kind, name, chosen, options) =>
	h('fieldset', { class: 'choice', 'data-field': name }, h('legend', {}, words.form[name]), h('div', { class: kind },
		options.map(({ value, label, text, tag, facts, reason }) => {
			const id = `${name}-${value}`;
			return h('label', { class: 'option' },
				h('input', { type: 'radio', name, value, checked: value === chosen, disabled: reason, 'aria-labelledby': id, 'aria-describedby': `${id}-more` }),
				h('div', {}, h('b', { id }, label), tag && h('span', { class: 'tag' }, tag), h('div', { id: `${id}-more`, class: 'small' }, text && muted(text),
					facts && h('dl', { class: 'facts' }, facts.map((f) => h('div', {}, h('dt', {}, f.label), h('dd', {}, f.value)))),
					reason && p(reason))));
		})));
