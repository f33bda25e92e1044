// Page 5: the sentences stand in the HTML; here the ways on are added that need the hub's answer.
import { get, here, query, safePath, start } from './api.mjs';
import { button, byId, h, icon, link, whileBusy } from './dom.mjs';
import { choiceLine, nearest } from './form.mjs';
import { notice } from './notice.mjs';
import { page, sentence } from './shell.mjs';
import { words } from './words.mjs';

const status = document.querySelector('meta[name="cygnet-status"]').content;
const asked = location.pathname.startsWith('/hub/error/') ? safePath(query().get('url')) : here();

function startHere(site, user, form) {
  const choice = nearest(form, form.last);
  if (!choice) return [link(words.error.home, '/hub/home', 'primary')];
  const problem = h('div', { role: 'alert' });
  const go = button(words.error.startHere, () => whileBusy(go, words.home.starting, async () => {
    await start(user.name, '', choice, asked).catch((err) => problem.replaceChildren(notice('bad', sentence(err))));
  }), 'primary big');
  go.prepend(icon('play'));
  const change = link(words.home.change, `/hub/spawn?next=${encodeURIComponent(asked ?? '')}`, 'big');
  return [h('p', { class: 'line' }, choiceLine(form, choice)), h('div', { class: 'actions' }, go, change), asked ? h('p', { class: 'small muted' }, words.error.wanted(asked)) : null, problem];
}

page(async ({ site }) => {
  const ways = byId('ways');
  const home = (kind) => link(words.error.home, '/hub/home', kind);
  const again = () => (asked ? link(words.tryAgain, asked, 'primary') : button(words.tryAgain, () => location.reload(), 'primary'));
  const help = site.help_url ? link(words.help, site.help_url, ' ') : null;
  let nodes;
  if (status === '424') {
    const [user, form] = await Promise.all([get('/hub/api/user'), get('/hub/api/cygnet/form')]).catch(() => []);
    nodes = form ? startHere(site, user, form) : [home('primary')];
  } else if (status === '502' || status === '503') nodes = [h('div', { class: 'actions' }, again(), home(' '), help)];
  else nodes = [h('div', { class: 'actions' }, home('primary'), help)];
  ways.replaceChildren(...nodes.filter(Boolean));
}, { anyone: true });
