// Page 3: what a start is doing, how long it takes and usually takes, Cancel, and what to do if it fails.
import { call, get, me, pendingPage, query, safePath, serverApi, start } from './api.mjs';
import { button, h, heading, link, show, whileBusy } from './dom.mjs';
import { duration } from './format.mjs';
import { notice, reportText, technical } from './notice.mjs';
import { page, sentence } from './shell.mjs';
import { StageList, Track } from './stages.mjs';
import { words } from './words.mjs';

const w = words.start;
const [owner, server = ''] = location.pathname.split('/').slice(3).map(decodeURIComponent);
const next = safePath(query().get('next'));
const began = performance.now();
let site, user, source, timer, over = false;
let list = new StageList();
const track = new Track(w.bar);
const heard = h('p', { class: 'unseen', 'aria-live': 'polite' });
const now = h('p', { class: 'line' }, w.connecting);
const timing = h('p', { class: 'small muted' });
const trouble = h('div', { role: 'status' });
const problem = h('div', { role: 'alert' });

const recordOf = (who) => who.servers?.[server] ?? null;
const choiceOf = () => recordOf(user)?.cygnet.choice ?? '';

function finish() {
  over = true;
  clearInterval(timer);
  source?.close();
}

function tick() {
  if (over) return;
  const { part, left } = list.progress();
  list.tick();
  if (part !== null) track.set(part);
  const late = list.isLate();
  const text = late ? w.longer : left > 1000 ? w.left(left) : w.soFar(Math.floor((performance.now() - began) / 1000) * 1000);
  if (timing.textContent !== text && (late || left !== null || performance.now() - began > 1000)) timing.textContent = text;
}

// ---- the ends -------------------------------------------------------------------------------------
function ready(url) {
  finish();
  const to = next ?? safePath(url) ?? `/user/${encodeURIComponent(owner)}/`;
  track.set(1, w.ready);
  now.textContent = w.ready;
  timing.replaceChildren(link(w.open, to));
  location.replace(to);
}

function failed(message, lines) {
  finish();
  const choice = choiceOf();
  const stage = list.current?.state === 'failed' ? list.current : null;
  const report = () => reportText({ time: new Date().toISOString(), site: `${site.name} ${site.version}`, user: owner, server: server || 'default', choice, cause: message, stages: list.lines(), lines: stage?.lines ?? lines ?? [] });
  const again = button(words.tryAgain, () => whileBusy(again, words.home.starting, async () => {
    await start(owner, server, null, next).catch((err) => problem.replaceChildren(notice('bad', sentence(err))));
  }), 'primary');
  track.el.classList.add('bad');
  document.title = `${w.failed} – ${site.name}`;
  show([heading(w.failed),
    notice('bad', stage ? w.failedAt(stage.label) : message, stage ? message : null, w.advice, technical(stage ? null : lines, { report })),
    problem,
    h('div', { class: 'actions' }, again, link(words.home.change, `/hub/spawn${next ? `?next=${encodeURIComponent(next)}` : ''}`, ' '), site.help_url ? link(words.help, site.help_url, ' ') : null),
    list.stages.size ? h('section', { class: 'panel' }, track.el, list.el) : null], true);
}

function notStarting() {
  finish();
  show([heading(w.notStarting[0]), h('section', { class: 'panel' }, h('p', {}, w.notStarting[1]), h('div', { class: 'actions' }, link(w.home, '/hub/home', 'primary')))], true);
}

async function cancel(event) {
  await whileBusy(event.currentTarget, w.cancelling, async () => {
    try {
      await call('DELETE', serverApi(owner, server));
      finish();
      location.replace('/hub/home');
      await new Promise(() => {});
    } catch (err) {
      problem.replaceChildren(notice('bad', sentence(err)));
    }
  });
}

// ---- the stream -----------------------------------------------------------------------------------
function onEvent(event) {
  trouble.replaceChildren();
  if (event.cygnet) {
    const isNew = list.update(event.cygnet);
    const say = w.heard[event.cygnet.state];
    if (isNew && say) heard.textContent = say(event.cygnet.label);
  }
  if (event.ready) return ready(event.url);
  if (event.failed) return failed(event.message);
  const current = list.current;
  if (current || event.message) now.textContent = current ? `${current.label}…` : event.message;
  if (list.progress().part === null) track.set(event.progress / 100);
  track.el.setAttribute('aria-valuetext', now.textContent);
  tick();
}

/** The stream would not open: what does the hub know about this server? */
async function lookUp(tries = 0) {
  try {
    user = await me();
    const record = recordOf(user);
    if (record?.ready) return ready(record.cygnet.lab_url ?? record.url);
    if (record?.pending === 'spawn') return setTimeout(listen, 1000);
    const end = user.cygnet?.last_end;
    if (end && end.server === server && end.cause !== 'stopped') return failed(end.message, end.lines);
    if (tries < 3) return setTimeout(() => lookUp(tries + 1), 500);
    return notStarting();
  } catch {
    trouble.replaceChildren(notice('warn', w.lost));
    return setTimeout(() => lookUp(tries), 3000);
  }
}

function listen() {
  if (over) return;
  source = new EventSource(`${serverApi(owner, server)}/progress`);
  source.onmessage = (message) => {
    try {
      onEvent(JSON.parse(message.data));
    } catch (err) {
      console.debug(err);
    }
  };
  source.onerror = () => {
    if (over) return;
    if (source.readyState === EventSource.CLOSED) lookUp();
    else trouble.replaceChildren(notice('warn', w.lost));
  };
}

page((found) => {
  ({ site, user } = found);
  const choice = choiceOf();
  show([heading(server ? w.titleNamed(server) : w.title),
    h('section', { class: 'panel' },
      choice ? h('p', { class: 'muted' }, choice) : null,
      h('div', { class: 'stack' }, now, track.el, timing), trouble, list.el, heard, problem,
      h('div', { class: 'actions' }, button(words.cancel, cancel)))]);
  listen();
  timer = setInterval(tick, 250);
});
