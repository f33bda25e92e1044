// One answer out of several, as native radio buttons: a row of small ones, or cards with facts.
import { h } from './dom.mjs';
import { words } from './words.mjs';

const radio = (name, option, chosen) =>
  h('input', { type: 'radio', name, value: String(option.value), checked: option.value === chosen, disabled: Boolean(option.reason), 'aria-describedby': option.more });

/** options: [{value, label}] */
export function radioRow({ name, legend, options, chosen }) {
  return h('fieldset', { class: 'choice', 'data-field': name }, h('legend', {}, legend),
    h('div', { class: 'row' }, options.map((option) => h('label', {}, radio(name, option, chosen), option.label))));
}

/** options: [{value, label, text, tag, facts: [{label, value}], reason}]; one with a reason cannot be chosen. */
export function cards({ name, legend, options, chosen, askUrl }) {
  return h('fieldset', { class: 'choice', 'data-field': name }, h('legend', {}, legend), options.map((option, at) => {
    const id = `c-${name}-${at}`;
    option.more = `${id}-more`;
    const input = radio(name, option, chosen);
    input.id = id;
    input.setAttribute('aria-labelledby', `${id}-label`);
    return h('label', { class: 'card', for: id }, input, h('div', {},
      h('span', {}, h('b', { id: `${id}-label` }, option.label), option.tag ? h('span', { class: 'tag' }, option.tag) : null),
      h('div', { id: `${id}-more` },
        option.text ? h('p', { class: 'small muted' }, option.text) : null,
        option.facts?.length ? h('dl', { class: 'facts' }, option.facts.map((f) => h('div', {}, h('dt', {}, f.label), h('dd', {}, f.value)))) : null,
        option.reason ? h('p', { class: 'small' }, option.reason, ' ', askUrl && !option.plain ? h('a', { href: askUrl }, words.form.askAccess) : null) : null)));
  }));
}
