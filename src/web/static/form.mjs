// The start form: what is offered, what depends on what, the choice in one line, the link to it.
import { cards, radioRow } from './choice.mjs';
import { button, h, heading, whileBusy } from './dom.mjs';
import { clearWrong, setWrong, textField, tickField } from './field.mjs';
import { copyButton, notice } from './notice.mjs';
import { sentence } from './shell.mjs';
import { words } from './words.mjs';

const w = words.form;

const offered = (items, id) => items.find((item) => item.id === id && item.available);
const firstOf = (items) => items.find((i) => i.available && (i.default || i.recommended)) ?? items.find((i) => i.available);
const amount = (items, value) => (items.some((i) => i.value === value) ? value : (items.find((i) => i.default) ?? items[0])?.value);

/** The nearest choice to `wish` that is offered; null if nothing is. Null wishes mean the defaults. */
export function nearest(form, wish) {
  const profile = offered(form.profiles, wish?.profile) ?? firstOf(form.profiles);
  if (!profile) return null;
  const stack = offered(profile.stacks, wish?.stack) ?? firstOf(profile.stacks);
  if (!stack) return null;
  const asked = wish?.cluster === undefined ? profile.clusters.find((c) => c.default && c.available)?.id : wish.cluster;
  return {
    profile: profile.id,
    stack: stack.id,
    cores: amount(profile.cores, wish?.cores),
    memory_mb: amount(profile.memory_mb, wish?.memory_mb),
    cluster: stack.spark && offered(profile.clusters, asked) ? asked : null,
    user_script: profile.user_script && typeof wish?.user_script === 'string' && wish.user_script !== '' ? wish.user_script : false,
    home_packages: Boolean(profile.home_packages && wish?.home_packages),
  };
}

/** Is everything that `wish` names in `choice`? */
export const isSame = (wish, choice) => Object.entries(wish).every(([key, value]) => (value || null) === (choice?.[key] || null));

const parts = (form, choice) => {
  const profile = form.profiles.find((p) => p.id === choice.profile);
  return { profile, stack: profile.stacks.find((s) => s.id === choice.stack), cluster: profile.clusters.find((c) => c.id === choice.cluster) };
};

/** '2026a · Python, R · 2 cores · 4 GB · Spark on nxcals' */
export function choiceLine(form, choice) {
  const { stack, cluster } = parts(form, choice);
  return words.choiceJoin([stack.label, stack.kernels.map(words.kernelName).join(', '), w.coresOf(choice.cores), w.memoryOf(choice.memory_mb), cluster && words.onCluster(cluster.label)]);
}

/** A wish from a link's query; null without one. */
export function wishOf(params) {
  const wish = {};
  for (const key of ['profile', 'stack', 'cluster', 'user_script']) if (params.has(key)) wish[key] = params.get(key) || null;
  for (const key of ['cores', 'memory_mb']) if (params.has(key)) wish[key] = Number(params.get(key));
  if (params.has('home_packages')) wish.home_packages = params.get('home_packages') === '1';
  return Object.keys(wish).length ? wish : null;
}

function linkTo(choice, file) {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries({ ...choice, file })) {
    if (key === 'cluster' || value) params.set(key, value === true ? '1' : (value ?? ''));
  }
  return `${location.origin}/hub/spawn?${params}`;
}

const stackCard = (s) => ({ value: s.id, label: s.label, text: s.description, tag: s.recommended && w.recommended, facts: [{ label: '', value: [...s.kernels, s.spark && w.sparkVersion(s.spark)].filter(Boolean).join(', ') }], reason: s.available ? null : s.reason || ' ' });
const clusterCard = (c, stack) => ({ value: c.id, label: c.label, text: c.description, facts: c.facts, reason: !stack.spark ? w.noSpark : c.available ? null : c.reason || ' ', plain: !stack.spark });

/** The fields for `choice`; only questions with more than one answer are asked. */
function fields(form, choice, site) {
  const { profile, stack } = parts(form, choice);
  const askUrl = site.help_url;
  const several = (items) => items.length > 1;
  return [
    several(form.profiles) && cards({ name: 'profile', legend: w.profile, askUrl, chosen: choice.profile, options: form.profiles.map((p) => ({ value: p.id, label: p.label, text: p.description, reason: p.available ? null : p.reason || ' ' })) }),
    cards({ name: 'stack', legend: w.stack, askUrl, chosen: choice.stack, options: profile.stacks.map(stackCard) }),
    several(profile.cores) && radioRow({ name: 'cores', legend: w.cores, chosen: choice.cores, options: profile.cores.map((c) => ({ value: c.value, label: w.coresOf(c.value) })) }),
    several(profile.memory_mb) && radioRow({ name: 'memory_mb', legend: w.memory, chosen: choice.memory_mb, options: profile.memory_mb.map((m) => ({ value: m.value, label: w.memoryOf(m.value) })) }),
    profile.clusters.length > 0 && cards({ name: 'cluster', legend: w.cluster, askUrl, chosen: choice.cluster ?? '', options: [{ value: '', label: w.none, text: w.noneText }, ...profile.clusters.map((c) => clusterCard(c, stack))] }),
    profile.home_packages && tickField({ name: 'home_packages', label: w.packages, hint: w.packagesHint, value: choice.home_packages }),
    profile.user_script && textField({ name: 'user_script', label: w.script, hint: w.scriptHint, value: choice.user_script || '', maxlength: '1024' }),
  ].filter(Boolean);
}

/** The choice that the fields say; questions that were not asked keep their answer. */
function read(el, form, before) {
  const data = new FormData(el);
  const wish = { ...before };
  for (const key of ['profile', 'stack', 'cluster', 'user_script']) if (data.has(key)) wish[key] = data.get(key) || null;
  for (const key of ['cores', 'memory_mb']) if (data.has(key)) wish[key] = Number(data.get(key));
  if (el.elements.home_packages) wish.home_packages = data.has('home_packages');
  return nearest(form, wish);
}

/**
 * The whole form as nodes. `choice` is where it begins; onStart(choice, file) may throw an ApiError, whose field
 * is then pointed at; onCancel is left out where there is nothing to go back to.
 */
export function startForm({ form, site, choice, file, unknown, onStart, onCancel }) {
  const holder = h('div', { class: 'panel' });
  const line = h('p', { class: 'small', 'aria-live': 'polite' });
  const problem = h('div', { role: 'alert' });
  const fileField = textField({ name: 'file', label: w.file, hint: w.fileHint, value: file ?? '', maxlength: '1024' });
  const submit = h('button', { class: 'button primary big' }, words.home.start);
  const el = h('form', { class: 'stack', novalidate: true }, holder, problem, h('div', { class: 'panel' }, line,
    h('div', { class: 'actions' }, submit, onCancel && button(words.cancel, onCancel), h('span', { class: 'apart' }, copyButton(w.copyLink, () => linkTo(choice, fileOf()))))));
  const fileOf = () => el.elements.file.value.trim();

  const draw = () => {
    const active = document.activeElement;
    const [name, value] = [active?.name, active?.value];
    holder.replaceChildren(...fields(form, choice, site), fileField);
    if (name) [...holder.querySelectorAll('input')].find((i) => i.name === name && (i.type !== 'radio' || i.value === value))?.focus();
    line.textContent = `${w.chosen} ${choiceLine(form, choice)}`;
  };
  el.addEventListener('change', (event) => {
    if (event.target.name === 'file') return;
    choice = read(el, form, choice);
    clearWrong(el);
    draw();
  });
  el.addEventListener('submit', (event) => {
    event.preventDefault();
    clearWrong(el);
    problem.replaceChildren();
    choice = read(el, form, choice);
    whileBusy(submit, words.home.starting, async () => {
      try {
        await onStart(choice, fileOf());
      } catch (err) {
        const field = err.field && el.querySelector(`[data-field="${CSS.escape(err.field)}"]`);
        if (field) setWrong(field, err.message || w.wrongField);
        else problem.replaceChildren(notice('bad', sentence(err)));
      }
    });
  });
  draw();
  return [heading(w.title), unknown ? notice('warn', w.unknown) : null, el];
}
