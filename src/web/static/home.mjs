// Pages 2 and 4: nothing running (one click, or the form in place at /hub/spawn), starting, running, stopping.
import { call, get, me, ownApi, pendingPage, query, safePath, serverApi, start } from './api.mjs';
import { ask } from './dialog.mjs';
import { button, h, heading, icon, link, show, whileBusy } from './dom.mjs';
import { choiceLine, isSame, nearest, startForm, wishOf } from './form.mjs';
import { notice, reportText, technical } from './notice.mjs';
import { page, sentence } from './shell.mjs';
import { meter } from './stages.mjs';
import { words } from './words.mjs';

const w = words.home;
let site, user, form, timer, said = null;

const record = () => user.servers?.[''] ?? null;
const stateOf = (server) => {
  if (!server) return 'stopped';
  if (server.pending === 'stop' || server.cygnet.state === 'stopping') return 'stopping';
  return server.ready ? 'running' : server.pending === 'spawn' ? 'pending' : 'stopped';
};
const isForm = () => location.pathname === '/hub/spawn';
const wanted = () => safePath(query().get('next'));

/** Where to go when the server is there: the file asked for, or what the visit was for. */
function goal(file) {
  const path = file.replace(/^[~/]*/, '').split('/').filter((part) => part && part !== '.').map(encodeURIComponent).join('/');
  return path ? `/user/${encodeURIComponent(user.name)}/lab/tree/${path}` : wanted();
}

// ---- how the last one ended -----------------------------------------------------------------------
function lastEnd() {
  const end = user.cygnet?.last_end;
  if (!end || (end.cause === 'stopped' && !end.message)) return null;
  const report = () => reportText({ time: new Date().toISOString(), site: `${site.name} ${site.version}`, user: user.name, server: end.server || 'default', cause: `${end.cause} at ${end.at}: ${end.message}`, lines: end.lines ?? [] });
  const el = notice(end.cause === 'stopped' ? 'info' : 'bad', words.end.title[end.cause] ?? words.end.title.unknown, `${end.message} ${words.end.at(end.at)}`, words.end.advice[end.cause],
    technical(end.lines, { report: end.cause === 'stopped' ? null : report }),
    h('div', {}, button(words.dismiss, async () => {
      el.remove();
      user.cygnet.last_end = null;
      show(document.querySelector('main').childNodes.length ? [...document.querySelector('main').childNodes] : [], true);
      await call('POST', '/hub/api/cygnet/last-end/dismiss', {}).catch(() => {});
    }, 'quiet')));
  return el;
}

// ---- nothing running ------------------------------------------------------------------------------
async function begin(choice, file) {
  try {
    await start(user.name, '', choice, goal(file ?? ''));
  } catch (err) {
    user = await me();
    if (stateOf(record()) === 'stopped') throw err;
    draw(true);
  }
}

function openForm() {
  history.pushState(null, '', `/hub/spawn${location.search}`);
  draw(true);
}

function quickStart() {
  const choice = nearest(form, form.last);
  if (choice === null) return [heading(w.title), notice('warn', ...w.nothing, site.help_url ? link(words.form.askAccess, site.help_url) : null)];
  const gone = form.last && !isSame(form.last, choice);
  const problem = h('div', { role: 'alert' });
  const go = h('button', { class: 'button primary big', type: 'button' }, icon('play'), w.start);
  go.addEventListener('click', () => whileBusy(go, w.starting, async () => {
    problem.replaceChildren();
    await begin(choice).catch((err) => problem.replaceChildren(notice('bad', sentence(err))));
  }));
  return [heading(w.title), lastEnd(), gone ? notice('warn', w.usual) : null,
    h('section', { class: 'panel' },
      form.last ? null : h('div', { class: 'teach' }, w.teach.map((text) => h('p', {}, text))),
      h('p', { class: 'line' }, gone || !form.last_line ? choiceLine(form, choice) : form.last_line),
      h('div', { class: 'actions' }, go, button(w.change, openForm, 'big')), problem)];
}

function wholeForm() {
  const wish = wishOf(query());
  const choice = nearest(form, wish ? { ...form.last, ...wish } : form.last);
  if (choice === null) return quickStart();
  return startForm({
    form, site, choice, file: query().get('file'), unknown: wish !== null && !isSame(wish, choice), onStart: begin,
    onCancel: () => (history.length > 1 && document.referrer.startsWith(location.origin) ? history.back() : location.assign('/hub/home')),
  });
}

// ---- running --------------------------------------------------------------------------------------
async function stop(kernels) {
  const busy = (kernels ?? []).filter((k) => k.state === 'busy').map((k) => k.path || k.name);
  if (busy.length && !(await ask({ title: w.busyTitle, text: w.busyText, items: busy, yes: w.stopAnyway, no: w.keep }))) return;
  await call('DELETE', serverApi(user.name));
  user = await me();
  said = stateOf(record()) === 'stopped' ? w.stopped : null;
  await draw(true);
}

const figures = async () => get(ownApi('stat', user.name)).catch(() => null);

function drawFigures(el, stat) {
  const { memory, cpu, kernels } = stat ?? {};
  el.replaceChildren(...[
    memory && meter(w.memory, w.memoryOf(memory), memory.limit ? memory.used / memory.limit : null),
    cpu && meter(w.cpu, w.cpuOf(cpu), cpu.cores ? cpu.cores_used / cpu.cores : null),
    kernels && h('p', { class: 'small muted' }, `${w.kernels}: ${kernels.map(w.kernel).join(', ') || w.noKernels}`),
  ].filter(Boolean));
  el.hidden = el.childElementCount === 0;
}

async function running(server) {
  const own = server.cygnet;
  const box = h('div', { class: 'stack' });
  const problem = h('div', { role: 'alert' });
  drawFigures(box, await figures());
  repeat(5000, async () => drawFigures(box, await figures()));
  const stopButton = button(w.stop, () => whileBusy(stopButton, w.stop, async () => {
    await stop((await figures())?.kernels).catch((err) => problem.replaceChildren(notice('bad', sentence(err))));
  }));
  const lab = link(w.openLab, own.lab_url ?? server.url, 'primary big');
  lab.prepend(icon('lab'));
  const since = server.started ?? own.since;
  return [heading(w.running), isForm() ? notice('info', w.already) : null, lastEnd(),
    h('section', { class: 'panel' },
      h('div', { class: 'actions' }, lab, own.notebook_url ? link(w.openNotebook, own.notebook_url, 'big') : null),
      h('dl', { class: 'facts-list' }, h('dt', {}, w.environment), h('dd', {}, own.choice),
        since ? [h('dt', {}, w.since), h('dd', {}, w.sinceLine(since, Math.max(0, Date.now() - Date.parse(since))))] : null),
      box,
      h('div', { class: 'actions' }, stopButton, own.spark ? link(w.spark, '/hub/spark') : null), problem)];
}

// ---- which of them --------------------------------------------------------------------------------
function repeat(ms, work) {
  clearInterval(timer);
  timer = setInterval(() => document.hidden || work(), ms);
}

async function look() {
  const before = JSON.stringify([stateOf(record()), user.cygnet?.last_end]);
  user = await me().catch(() => user);
  if (JSON.stringify([stateOf(record()), user.cygnet?.last_end]) !== before) await draw(true);
}

async function draw(focus) {
  const server = record();
  const state = stateOf(server);
  clearInterval(timer);
  let nodes;
  if (state === 'running') nodes = await running(server);
  else if (state === 'pending') nodes = [heading(w.pending), h('section', { class: 'panel' }, h('p', { class: 'line' }, server.cygnet.choice), h('div', { class: 'actions' }, link(w.show, pendingPage(user.name, '', wanted()), 'primary big')))];
  else if (state === 'stopping') nodes = [heading(w.stopping), h('section', { class: 'panel' }, h('p', {}, w.stoppingNow))];
  else {
    form ??= await get('/hub/api/cygnet/form');
    nodes = isForm() ? wholeForm() : quickStart();
    if (said) nodes.splice(1, 0, notice('good', said));
    said = null;
  }
  if (state === 'pending' || state === 'stopping') repeat(1000, look);
  show(nodes, focus);
}

page(async (found) => {
  ({ site, user } = found);
  addEventListener('popstate', () => draw(true));
  document.addEventListener('visibilitychange', () => document.hidden || look());
  setInterval(() => document.hidden || isForm() || look(), 10000);
  await draw(false);
});
