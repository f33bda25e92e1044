// Making elements without HTML strings, and the icons.

/** h('p', {class: 'x', onclick: f, hidden: false}, 'text', node, null): null and false are left out. */
export function h(name, props, ...children) {
  const el = document.createElement(name);
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) el.addEventListener(key.slice(2), value);
    else el.setAttribute(key, value === true ? '' : value);
  }
  el.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return el;
}

const PATHS = {
  waiting: 'M12 4a8 8 0 1 0 .01 0z',
  running: 'M12 4a8 8 0 1 0 .01 0zM12 8v4l2.5 1.5',
  done: 'M12 3a9 9 0 1 0 .01 0zM8 12l3 3 5-6',
  failed: 'M12 3a9 9 0 1 0 .01 0zM9 9l6 6M15 9l-6 6',
  bad: 'M12 3a9 9 0 1 0 .01 0zM12 7.5v5M12 16h.01',
  warn: 'M12 4 2.5 20h19zM12 10v4M12 17h.01',
  info: 'M12 3a9 9 0 1 0 .01 0zM12 11v5M12 8h.01',
  good: 'M12 3a9 9 0 1 0 .01 0zM8 12l3 3 5-6',
  lab: 'M4 5h16v14H4zM4 9h16M9 9v10',
  notebook: 'M6 3h12v18H6zM10 3v18M13 8h2',
  play: 'M7 4.5v15L19 12z',
};

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

export const byId = (id) => document.getElementById(id);

/** A heading that focus can be moved to. */
export const heading = (text) => h('h1', { tabindex: '-1' }, text);

/** Puts `children` on the page and, if asked, moves focus to its heading (or to `focus`). */
export function show(children, focus) {
  const main = byId('main');
  main.replaceChildren(...[children].flat().filter(Boolean));
  if (focus) (focus instanceof Element ? focus : (main.querySelector('h1') ?? main)).focus();
}

export const button = (label, onclick, kind = '') => h('button', { type: 'button', class: `button ${kind}`, onclick }, label);
export const link = (label, href, kind) => h('a', { href, class: kind && `button ${kind}` }, label);

/** Greys a button while `work` runs; a second press does nothing. */
export async function whileBusy(el, label, work) {
  if (el.getAttribute('aria-disabled') === 'true') return;
  const before = [...el.childNodes];
  el.setAttribute('aria-disabled', 'true');
  el.replaceChildren(label);
  try {
    await work();
  } finally {
    el.removeAttribute('aria-disabled');
    el.replaceChildren(...before);
  }
}
