// The running server's Spark settings: which value came from where, and what it won over.
import { get, ownApi } from './api.mjs';
import { h, heading, link, show } from './dom.mjs';
import { textField } from './field.mjs';
import { notice } from './notice.mjs';
import { page } from './shell.mjs';
import { words } from './words.mjs';

const w = words.spark;
const shownValue = (value) => (value === null ? h('i', {}, w.hidden) : h('code', {}, value));

function row(p) {
  return h('tr', {}, h('th', { scope: 'row' }, h('code', {}, p.name)),
    h('td', {}, shownValue(p.value), (p.lost ?? []).map((l) => h('div', { class: 'small muted' }, w.lost(l.value ?? w.hidden, w.layers[l.layer] ?? l.layer)))),
    h('td', {}, w.layers[p.layer] ?? p.layer, p.locked ? h('span', { class: 'tag' }, w.locked) : null));
}

page(async ({ user }) => {
  const data = await get(ownApi('spark', user.name)).catch((err) => {
    if (err.status === 404) return null;
    throw err;
  });
  if (!data?.properties.length) {
    show([heading(w.title), notice('info', ...w.none), h('div', { class: 'actions' }, link(words.error.home, '/hub/home', 'primary'))]);
    return;
  }
  const body = h('tbody');
  const count = h('p', { class: 'small muted', role: 'status' });
  const find = textField({ name: 'find', label: w.find, type: 'search' });
  const draw = () => {
    const wanted = find.querySelector('input').value.trim().toLowerCase();
    const rows = data.properties.filter((p) => `${p.name} ${p.value ?? ''} ${p.layer}`.toLowerCase().includes(wanted));
    body.replaceChildren(...rows.map(row));
    count.textContent = w.shown(rows.length, data.properties.length);
  };
  find.addEventListener('input', draw);
  draw();
  show([heading(w.title), h('p', { class: 'muted' }, words.choiceJoin([data.app?.label ?? data.app?.cluster, data.app?.version && words.form.sparkVersion(data.app.version)])), h('p', {}, w.intro), find, count,
    h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': w.title }, h('table', {}, h('thead', {}, h('tr', {}, [w.name, w.value, w.from].map((text) => h('th', { scope: 'col' }, text)))), body))]);
});
