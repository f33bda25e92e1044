// What every page has around it: the bar, the banner, the footer, and what is shown while the hub is asked.
import { call, get, home, hub, me, safePath } from './api.mjs';
import { button, fill, h, link, says, show } from './dom.mjs';
import { words } from './words.mjs';

export const goHome = (kind = 'primary') => link(words.goHome, home, kind);
const find = (what) => document.querySelector(what);
const root = document.documentElement;
const MARK = `${hub}/static/mark.svg`;

function keep(name, value) {
	try {
		localStorage.setItem(name, value);
	} catch {
		// Storage is switched off: it holds for this page.
	}
}

function themeSwitch() {
	const options = Object.entries(words.themes).map(([value, label]) => h('option', { value, selected: value === (root.dataset.theme ?? '') }, label));
	const onchange = (event) => {
		root.dataset.theme = event.target.value;
		keep('cygnet-theme', event.target.value);
	};
	return h('label', {}, `${words.theme} `, h('select', { onchange }, options));
}

/** Shows the error; status 0: no response. */
const unreachable = (err) => show(says(err.status ? [err.message] : words.unreachable, button(words.tryAgain, () => location.reload(), 'primary')), true);

export const signOut = () => call('POST', '/logout', {}).then((data) => location.assign(safePath(data?.next) ?? `${hub}/login`), unreachable);

function dress(site, user) {
	const accent = /^#[0-9a-f]{6}$/i.test(site.accent ?? '') ? site.accent : '';
	root.style.setProperty('--site', accent);
	keep('cygnet-accent', accent);
	document.title += ` – ${site.name}`;
	const links = Object.entries(words.links).filter(([key]) => site[key]);
	document.head.append(h('link', { rel: 'icon', href: MARK }));
	document.body.prepend(h('a', { class: 'skip', href: '#main' }, words.skip));
	if (/process|uid/.test(site.isolation)) find('.skip').after(h('aside', { class: 'site-notice' }, site.isolation_message));
	fill(find('header'), h('a', { class: 'brand', href: home }, h('img', { src: MARK, alt: '', width: 28, height: 28 }), site.name),
		user && [h('span', {}, user.name), button(words.signOut, signOut, 'quiet')]);
	fill(find('footer'), links.map(([key, label]) => h('a', { href: site[key] }, label)), h('span', {}, words.version(site.version)), themeSwitch());
}

/**
 * Asks for the site and, unless `anyone`, the signed-in user, and calls view(site, user). An error page, which
 * has its sentences in its HTML, keeps them if the hub does not answer.
 */
export async function page(view, anyone) {
	const isStatic = find('h1');
	Object.assign(find('main'), { id: 'main', tabIndex: -1 });
	addEventListener('pageshow', (event) => event.persisted && location.reload());
	const slow = setTimeout(() => isStatic || show(h('p', { role: 'status' }, words.asking)), 500);
	try {
		const [site, user] = await Promise.all([get('/api/cygnet/site'), anyone ? null : me()]);
		clearTimeout(slow);
		dress(site, user);
		await view(site, user);
	} catch (err) {
		clearTimeout(slow);
		console.debug(err);
		if (!isStatic) unreachable(err);
	}
}
