// Page 1: one button per provider; a name and a password where the site has that.
import { call, get, query, safePath } from './api.mjs';
import { byId, h, heading, link, show, whileBusy } from './dom.mjs';
import { textField } from './field.mjs';
import { notice } from './notice.mjs';
import { page, sentence } from './shell.mjs';
import { words } from './words.mjs';

const w = words.signIn;
const next = safePath(query().get('next')) ?? '/hub/home';

function providerButton(provider, primary) {
  const url = `${provider.url}${provider.url.includes('?') ? '&' : '?'}next=${encodeURIComponent(next)}`;
  return link(w.with(provider.label), url, `full ${primary ? 'primary' : ''}`);
}

function downNotice(provider) {
  return notice('warn', w.down(provider.label, provider.down_since), provider.message, w.downNow);
}

function passwordForm(site, primary) {
  const problem = h('p', { class: 'wrong', role: 'alert' });
  const submit = h('button', { class: `button full ${primary ? 'primary' : ''}` }, w.button);
  const form = h('form', { class: 'panel', method: 'post', action: '/hub/login' },
    textField({ name: 'username', label: w.name, autocomplete: 'username', required: true, maxlength: '64' }),
    textField({ name: 'password', label: w.password, type: 'password', autocomplete: 'current-password', required: true, maxlength: '256' }),
    h('input', { type: 'hidden', name: 'next', value: next }), problem, submit,
    site.development ? h('p', { class: 'small muted' }, w.development) : null);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    problem.textContent = '';
    whileBusy(submit, w.busy, async () => {
      try {
        const { data } = await call('POST', '/hub/login', new URLSearchParams(new FormData(form)));
        location.assign(safePath(data?.next) ?? next);
        await new Promise(() => {});
      } catch (err) {
        problem.textContent = err.status === 403 ? err.message || w.refused : sentence(err);
        form.elements.password.select();
      }
    });
  });
  return form;
}

/** While a provider is down, looks every 20 s whether it is back, and changes only its notice. */
function watch(downs, providers) {
  const isDown = () => providers.filter((p) => p.kind === 'oidc' && p.down_since);
  const draw = () => downs.replaceChildren(...isDown().map(downNotice));
  draw();
  if (isDown().length === 0) return;
  const timer = setInterval(async () => {
    try {
      providers = (await get('/hub/api/cygnet/site')).providers;
    } catch {
      return;
    }
    draw();
    if (isDown().length === 0) clearInterval(timer);
  }, 20000);
}

page(({ site }) => {
  const redirects = site.providers.filter((p) => p.kind === 'oidc');
  const hasPassword = site.providers.some((p) => p.kind === 'password');
  const downs = h('div', { class: 'stack', role: 'status' });
  show([
    heading(w.title(site.name)),
    downs,
    site.providers.length === 0 ? notice('warn', ...w.none) : null,
    redirects.length ? h('div', { class: 'stack' }, redirects.map((p, at) => providerButton(p, at === 0))) : null,
    redirects.length && hasPassword ? h('p', { class: 'muted' }, w.or) : null,
    hasPassword ? passwordForm(site, redirects.length === 0) : null,
  ]);
  watch(downs, site.providers);
  byId('f-username')?.focus();
}, { anyone: true });
