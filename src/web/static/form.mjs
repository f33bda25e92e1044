// The start form: what is offered, what depends on what, the choice in one line, the link to it.
import { hub, next } from './api.mjs';
import { choices } from './choice.mjs';
import { actions, button, fill, h, heading, panel, whileBusy } from './dom.mjs';
import { clearWrong, field, setWrong } from './field.mjs';
import { copyButton, problemBox } from './notice.mjs';
import { words } from './words.mjs';

const w = words.form;
const offered = (items, id) => items.find((i) => i.id === id && i.available);
const usual = (items) => items.find((i) => i.available && (i.default || i.recommended)) ?? items.find((i) => i.available);
const amount = (items, value) => (items.find((i) => i.value === value) ?? items.find((i) => i.default) ?? items[0])?.value;

/** The nearest choice to `wish` (which may be null) that is offered; null if nothing is. */
export function nearest(form, wish) {
	const profile = offered(form.profiles, wish?.profile) ?? usual(form.profiles);
	const stack = profile && (offered(profile.stacks, wish?.stack) ?? usual(profile.stacks));
	if (!stack) return null;
	const cluster = offered(profile.clusters, wish?.cluster) ?? (wish?.cluster !== null && profile.clusters.find((c) => c.default && c.available));
	return {
		profile: profile.id,
		stack: stack.id,
		cores: amount(profile.cores, wish?.cores),
		memory_mb: amount(profile.memory_mb, wish?.memory_mb),
		cluster: (stack.spark && cluster && cluster.id) || null,
		user_script: (profile.user_script && wish?.user_script) || false,
		home_packages: Boolean(profile.home_packages && wish?.home_packages),
	};
}

/** Is everything that `wish` names in `choice`? */
export const isSame = (wish, choice) => Object.entries(wish ?? {}).every(([key, value]) => (value || null) === (choice[key] || null));

function parts(form, choice) {
	const profile = form.profiles.find((p) => p.id === choice.profile);
	return { profile, stack: profile.stacks.find((s) => s.id === choice.stack), cluster: profile.clusters.find((c) => c.id === choice.cluster) };
}

/** '2026a · Python, R · 2 cores · 4 GB · Spark on nxcals' */
export function choiceLine(form, choice) {
	const { stack, cluster } = parts(form, choice);
	return words.join([stack.label, stack.kernels.map(w.kernel).join(', '), w.coresOf(choice.cores), w.memoryOf(choice.memory_mb), cluster && w.onCluster(cluster.label),
		choice.user_script && w.own[0], choice.home_packages && w.own[1]]);
}

const TEXTS = ['profile', 'stack', 'cluster', 'user_script'];
const NUMBERS = ['cores', 'memory_mb'];

/** User options of a link or the form; an unticked box is in neither. */
function options(data) {
	const wish = {};
	for (const key of TEXTS) if (data.has(key)) wish[key] = data.get(key).trim() || null;
	for (const key of NUMBERS) if (data.has(key)) wish[key] = Number(data.get(key));
	if (data.has('home_packages')) wish.home_packages = data.get('home_packages') !== '';
	return wish;
}

const asked = () => new URLSearchParams(location.search);
export const linkWish = () => options(asked());
const linkTo = (choice, more) => `${hub}/spawn?${new URLSearchParams(Object.entries({ ...choice, ...more }).map(([key, value]) => [key, value || '']))}`;

const reasonOf = (item) => !item.available && (item.reason || ' ');

/** Choices with one value are not shown. */
function fields(form, choice) {
	const { profile, stack } = parts(form, choice);
	const plain = (i) => ({ value: i.id, label: i.label, text: i.description, facts: i.facts, reason: reasonOf(i) });
	const row = (name, label) => profile[name].length > 1 && choices('row', name, choice[name], profile[name].map(({ value }) => ({ value, label: label(value) })));
	const platforms = new Set(profile.stacks.map((s) => s.platform));
	const contents = (s) => [{ label: '', value: words.join([s.kernels.join(', '), s.spark && w.sparkVersion(s.spark), platforms.size > 1 && s.platform]) }];
	return [
		form.profiles.length > 1 && choices('stack', 'profile', choice.profile, form.profiles.map(plain)),
		choices('stack', 'stack', choice.stack, profile.stacks.map((s) => ({ ...plain(s), tag: s.recommended && w.recommended, facts: contents(s) }))),
		row('cores', w.coresOf),
		row('memory_mb', w.memoryOf),
		profile.clusters.length > 0 && choices('stack', 'cluster', choice.cluster ?? '', [{ value: '', label: w.none },
			...profile.clusters.map((c) => ({ ...plain(c), reason: stack.spark ? reasonOf(c) : w.noSpark }))]),
		profile.home_packages && field('home_packages', w.home_packages, 'on', { type: 'checkbox', checked: choice.home_packages }),
		profile.user_script && field('user_script', w.user_script, choice.user_script || '', { maxlength: 1024 }),
	];
}

/** The form as nodes. onStart(choice, file) may throw an ApiError, whose field is then pointed at. */
export function startForm(form, site, choice, { onStart, onCancel, warning }) {
	const holder = panel();
	const line = h('p', { class: 'line', 'aria-live': 'polite' });
	const [problem, tell] = problemBox();
	const file = field('file', w.file, asked().get('file') ?? '', { maxlength: 1024 });
	const fileName = () => file.querySelector('input').value.trim();
	const submit = h('button', { class: 'button primary big' }, words.home.start);

	const draw = () => {
		const { name, value } = document.activeElement;
		fill(holder, fields(form, choice), file);
		if (site.help_url && holder.querySelector(':disabled')) holder.append(h('a', { href: site.help_url }, w.ask));
		if (name) (el.querySelector(`[name=${name}][value="${CSS.escape(value)}"]`) ?? el.elements[name])?.focus?.();
		line.textContent = choiceLine(form, choice);
	};
	const take = () => {
		clearWrong(el);
		const wish = { ...choice, home_packages: !el.elements.home_packages && choice.home_packages, ...options(new FormData(el)) };
		if (wish.profile !== choice.profile) wish.cluster ??= undefined;
		choice = nearest(form, wish);
	};
	const onchange = (event) => {
		take();
		history.replaceState(history.state, '', linkTo(choice, { file: fileName(), next }));
		if (event.target.type === 'radio') draw();
	};
	const onsubmit = (event) => {
		event.preventDefault();
		tell();
		take();
		whileBusy(submit, words.home.starting, () => onStart(choice, fileName()).catch((err) => {
			const wrong = err.field && el.querySelector(`[data-field="${CSS.escape(err.field)}"]`);
			if (wrong) setWrong(wrong, err.message);
			else tell(err);
		}));
	};
	const el = h('form', { class: 'stack', novalidate: true, onchange, onsubmit }, holder,
		panel(line, problem, actions(submit, button(words.cancel, onCancel, 'big'), copyButton(w.copyLink, () => location.origin + linkTo(choice, { file: fileName() })))));
	draw();
	return [heading(w.title), warning, el];
}
