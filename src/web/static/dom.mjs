// Making elements without HTML strings, and the icons.

/** h('p', {class: 'x', onclick: f}, 'text', node, null): null, undefined and false are left out. */
export function h(name, props, ...children) {
	const el = document.createElement(name);
	for (const [key, value] of Object.entries(props ?? {})) {
		if (typeof value === 'function') el.addEventListener(key.slice(2), value);
		else if (value || value === '' || value === 0) el.setAttribute(key, value === true ? '' : value);
	}
	fill(el, ...children);
	return el;
}

export const fill = (el, ...children) => el.replaceChildren(...children.flat(9).filter((c) => c || c === 0));

const ROUND = 'M12 3a9 9 0 1 0 .01 0z';
const PATHS = {
	waiting: ROUND,
	running: `${ROUND}M12 8v4l2.5 1.5`,
	good: `${ROUND}M8 12l3 3 5-6`,
	failed: `${ROUND}M9 9l6 6M15 9l-6 6`,
	info: `${ROUND}M12 11v5M12 8h.01`,
	warn: 'M12 4 2.5 20h19zM12 10v4M12 17h.01',
	play: 'M7 4.5v15L19 12z',
};
PATHS.done = PATHS.good;
PATHS.bad = PATHS.failed;

export function icon(name) {
	const [svg, path] = ['svg', 'path'].map((el) => document.createElementNS('http://www.w3.org/2000/svg', el));
	svg.setAttribute('viewBox', '0 0 24 24');
	svg.setAttribute('aria-hidden', 'true');
	path.setAttribute('d', PATHS[name]);
	svg.append(path);
	return svg;
}

/** A heading that focus can be moved to. */
export const heading = (text) => h('h1', { tabindex: -1 }, text);

/** Puts nodes on the page and, if asked, moves focus to its heading. */
export function show(nodes, focus) {
	const main = document.querySelector('main');
	fill(main, nodes);
	if (focus) (main.querySelector('h1') ?? main).focus();
}

export const button = (label, onclick, kind = '') => h('button', { type: 'button', class: `button ${kind}`, onclick }, label);
export const link = (label, href, kind = '') => h('a', { href, class: `button ${kind}` }, label);
export const actions = (...children) => h('div', { class: 'actions' }, children);
export const panel = (...children) => h('section', { class: 'panel' }, children);
export const p = (...text) => h('p', {}, text);
export const muted = (...text) => h('p', { class: 'small muted' }, text);
export const line = (...text) => h('p', { class: 'line' }, text);

/** A page that has one thing to say, and ways on. */
export const says = ([title, text], ...ways) => [heading(title), panel(p(text), actions(ways))];

/** Greys a button while `work` runs; a second press does nothing. */
export async function whileBusy(el, label, work) {
	if (el.hasAttribute('aria-disabled')) return;
	const before = [...el.childNodes];
	el.setAttribute('aria-disabled', 'true');
	fill(el, label);
	await work();
	el.removeAttribute('aria-disabled');
	fill(el, before);
}
