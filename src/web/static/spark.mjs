// The running server's Spark settings: which value came from where, and what it won over.
import { get, ownApi } from './api.mjs';
import { h, heading, muted, p, says, show } from './dom.mjs';
import { goHome, page } from './shell.mjs';
import { words } from './words.mjs';

const w = words.spark;
const layer = (name) => w.layers[name] ?? name;

const row = (r) => h('tr', {}, h('th', { scope: 'row' }, h('code', {}, r.name)),
	h('td', {}, r.value === null ? h('i', {}, w.hidden) : h('code', {}, r.value), r.lost?.map((l) => muted(w.lost(l.value ?? w.hidden, layer(l.layer))))),
	h('td', {}, layer(r.layer), r.locked && h('span', { class: 'tag' }, w.locked)));

page(async (site, user) => {
	const data = await get(ownApi(user.name, 'spark')).catch((err) => {
		if (err.status !== 404) throw err;
	});
	const all = data?.properties ?? [];
	show(all.length === 0 ? says(w.none, goHome()) : [heading(w.page),
		muted(words.join([data.app?.label, data.app?.version && words.form.sparkVersion(data.app.version)])), p(w.intro),
		h('div', { class: 'panel scroll', tabindex: 0, role: 'region', 'aria-label': w.page },
			h('table', {}, h('thead', {}, h('tr', {}, w.columns.map((text) => h('th', { scope: 'col' }, text)))), h('tbody', {}, all.map(row))))]);
});
