// What every page has around it: the bar, the banner, the footer, and what is shown while the hub is asked.
import { applyAccent } from './accent.mjs';
import { call, get, me, safePath } from './api.mjs';
import { button, byId, h, show } from './dom.mjs';
import { notice } from './notice.mjs';
import { words } from './words.mjs';

function themeSwitch() {
  const stored = document.documentElement.dataset.theme ?? 'system';
  const select = h('select', { id: 'theme' }, Object.entries(words.themes).map(([value, label]) => h('option', { value, selected: value === stored }, label)));
  select.addEventListener('change', () => {
    const theme = select.value;
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem('cygnet-theme', theme);
    } catch { /* storage is switched off: for this page only */ }
  });
  return h('label', {}, `${words.theme} `, select);
}

async function signOut(event) {
  try {
    const { data } = await call('POST', '/hub/logout', {});
    location.assign(safePath(data?.next) ?? '/hub/login');
  } catch {
    event.target.focus();
    showUnreachable();
  }
}

function dress(site, user) {
  applyAccent(site.accent);
  for (const el of document.querySelectorAll('[data-site]')) el.textContent = site.name;
  document.title = `${document.title.split(' – ')[0]} – ${site.name}`;
  if (user) byId('who').replaceChildren(h('span', {}, user.name), button(words.signOut, signOut, 'quiet'));
  if (site.isolation === 'process') byId('banner').replaceChildren(h('p', { class: 'site-notice' }, site.isolation_message || words.notIsolated));
  const links = [['status', site.status_url], ['help', site.help_url], ['privacy', site.privacy_url]];
  byId('foot').replaceChildren(...links.filter(([, url]) => url).map(([name, url]) => h('a', { href: url }, words[name])), h('span', {}, words.version(site.version)), themeSwitch());
}

function showUnreachable() {
  show(notice('bad', words.unreachable[0], words.unreachable[1], button(words.tryAgain, () => location.reload(), 'primary')), true);
}

/**
 * Asks for the site and, unless `anyone`, the signed-in user, dresses the page, and calls view({site, user}).
 * Whatever it throws ends in a sentence and a way on.
 */
export async function page(view, { anyone = false } = {}) {
  const slow = setTimeout(() => byId('main').hasAttribute('data-static') || show(h('p', { class: 'muted', role: 'status' }, words.asking)), 500);
  try {
    const [site, user] = await Promise.all([get('/hub/api/cygnet/site'), anyone ? null : me()]);
    clearTimeout(slow);
    dress(site, user);
    await view({ site, user });
  } catch (err) {
    clearTimeout(slow);
    console.debug(err);
    if (!byId('main').hasAttribute('data-static')) showUnreachable();
  }
}

/** The sentence for an error of an action. */
export const sentence = (err) => err.message || (err.status === 0 ? words.unreachable.join(' ') : err.status === 429 ? words.busyHub : words.unexpected);
