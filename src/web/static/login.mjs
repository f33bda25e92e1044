// Page 1: one button per provider; a name and a password where the site has that.
import { call, get, home, hub, next, query, safePath } from './api.mjs';
import { fill, h, heading, link, muted, show, whileBusy } from './dom.mjs';
import { field } from './field.mjs';
import { notice, problemBox } from './notice.mjs';
import { page } from './shell.mjs';
import { words } from './words.mjs';

const w = words.signIn;
const goal = next ?? home;

function passwordForm(site, kind) {
	const [problem, tell] = problemBox();
	const submit = h('button', { class: `button ${kind}` }, w.button);
	const onsubmit = (event) => {
		event.preventDefault();
		tell();
		whileBusy(submit, w.busy, async () => {
			try {
				const data = await call('POST', '/login', new URLSearchParams(new FormData(form)));
				location.assign(safePath(data?.next) ?? goal);
				await new Promise(() => {});
			} catch (err) {
				tell(err);
				form.elements.password.select();
			}
		});
	};
	const form = h('form', { class: 'panel', method: 'post', action: `${hub}/login`, onsubmit },
		field('username', [w.name], '', { autocomplete: 'username', required: true, maxlength: 64 }),
		field('password', [w.password], '', { type: 'password', autocomplete: 'current-password', required: true, maxlength: 256 }),
		h('input', { type: 'hidden', name: 'next', value: goal }), problem, submit, site.development && muted(w.development));
	return form;
}

/** Which providers are down; then looks again. */
function tellDown(el, providers) {
	const down = providers.filter((p) => p.down_since);
	fill(el, down.map((p) => notice('warn', w.down(p.label, p.down_since), p.message, w.downNow)));
	const look = () => get('/api/cygnet/site').catch(() => ({ providers })).then((site) => tellDown(el, site.providers));
	if (down.length) setTimeout(look, 20000);
}

page((site) => {
	const [problem, tell] = problemBox(), error = query.get('error');
	const redirects = site.providers.filter((p) => p.kind === 'oidc');
	const down = h('div', { class: 'stack', role: 'status' });
	const kind = (at) => (at ? '' : 'primary');
	show([heading(w.title(site.name)), problem, down, site.providers.length === 0 && notice('warn', ...w.none),
		redirects.map((p, at) => link(w.with(p.label), `${p.url}&next=${encodeURIComponent(goal)}`, kind(at))),
		site.providers.some((p) => p.kind === 'password') && passwordForm(site, kind(redirects.length))]);
	tellDown(down, site.providers);
	if (error) get(`/api/cygnet/refusals/${encodeURIComponent(error)}`).then(tell, tell);
	document.querySelector('#username')?.focus();
}, true);
