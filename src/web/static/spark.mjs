// The running server's Spark settings: which value came from where, and what it won over.
import { get, ownApi } from './api.mjs';
import { actions, fill, h, heading, link, muted, panel, show } from './dom.mjs';
import { textField } from './field.mjs';
import { page } from './shell.mjs';
import { words } from './words.mjs';

const w = words.spark;
const layer = (name) => w.layers[name] ?? name;

const row = (p) => h('tr', {}, h('th', { scope: 'row' }, h('code', {}, p.name)),
	h('td', {}, p.value === null ? h('i', {}, w.hidden) : h('code', {}, p.value), p.lost?.map((l) => muted(w.lost(l.value ?? w.hidden, layer(l.layer))))),
	h('td', {}, layer(p.layer), p.locked && h('span', { class: 'tag' }, w.locked)));

page(async (site, user) => {
	const data = await get(ownApi(user.name, 'spark')).catch((err) => {
		if (err.status !== 404) throw err;
	});
	const all = data?.properties ?? [];
	if (!all.length) {
		show([heading(w.none[0]), panel(h('p', {}, w.none[1]), actions(link(words.goHome, '/hub/home', 'primary')))]);
		return;
	}
	const body = h('tbody');
	const count = h('p', { class: 'small muted', role: 'status' });
	const draw = (wanted) => {
		const rows = all.filter((p) => `${p.name} ${p.value} ${layer(p.layer)}`.toLowerCase().includes(wanted.trim().toLowerCase()));
		fill(body, rows.map(row));
		count.textContent = w.shown(rows.length, all.length);
	};
	draw('');
	show([heading(w.page), muted(words.join([data.app?.label, data.app?.version && words.form.sparkVersion(data.app.version)])), h('p', {}, w.intro),
		textField('find', [w.find], '', { type: 'search', oninput: (event) => draw(event.target.value) }), count,
		h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': w.page }, h('table', {}, h('thead', {}, h('tr', {}, w.columns.map((text) => h('th', { scope: 'col' }, text)))), body))]);
});
