// Page 3: what a start is doing, how long it takes, Cancel, and what to do if it fails.
import { call, home, hub, me, next, safePath, serverApi, start, userPath, withNext } from './api.mjs';
import { actions, button, fill, h, heading, line, link, muted, panel, says, show, whileBusy } from './dom.mjs';
import { notice, problemBox, reportButton, technical } from './notice.mjs';
import { goHome, page } from './shell.mjs';
import { StageList, Track } from './stages.mjs';
import { words } from './words.mjs';

const w = words.start;
const [owner, server] = location.pathname.split('/').slice(3).map(decodeURIComponent);
const api = serverApi(owner, server);
const list = new StageList();
const track = new Track(w.bar);
const now = line(words.asking);
const timing = muted();
const heard = h('p', { class: 'unseen', 'aria-live': 'polite' });
const trouble = h('div', { role: 'status' });
const [problem, tell] = problemBox();
let site, user, source, timer, over;

const record = () => user.servers?.[server ?? ''];

function tick() {
	const { part, left } = list.progress();
	list.tick();
	if (part !== null) track.set(part);
	const ms = Math.floor(performance.now() / 1000) * 1000;
	const text = list.isLate() ? w.longer : left > 1000 ? w.left(left) : ms ? w.soFar(ms) : '';
	if (timing.textContent !== text) timing.textContent = text;
}

// ---- the ends ----
function finish() {
	over = true;
	clearInterval(timer);
	source?.close();
}

function ready(url) {
	finish();
	const to = next ?? safePath(url) ?? userPath(owner, '');
	track.set(1);
	now.textContent = heard.textContent = w.ready;
	fill(timing);
	location.replace(to);
}

function failed(message, lines) {
	finish();
	const stage = list.current?.state === 'failed' && list.current;
	const [title, advice] = words.end.start_failed;
	const again = button(words.tryAgain, () => whileBusy(again, words.home.starting, () => start(owner, server, null, next).catch(tell)), 'primary');
	track.el.classList.add('bad');
	document.title = `${title} – ${site.name}`;
	show([heading(title),
		notice('bad', stage ? words.end.failedAt(stage.label) : message, stage && message, advice, !stage && technical(lines),
			reportButton(site, owner, () => [message, list.lines(), stage?.lines ?? lines ?? []])),
		problem, actions(again, link(words.home.change, withNext(`${hub}/spawn`, next)), site.help_url && link(words.links.help_url, site.help_url)),
		stage && panel(track.el, list.el)], true);
}

function nothing() {
	finish();
	show(says(w.none, goHome()), true);
}

/** The end that was asked for is no failure. */
async function cancel() {
	finish();
	try {
		await call('DELETE', api);
		location.replace(home);
		await new Promise(() => {});
	} catch (err) {
		tell(err);
		follow();
	}
}

// ---- the stream ----
function onEvent({ cygnet, ready: isReady, failed: isFailed, message, url, progress }) {
	fill(trouble);
	if (cygnet && list.update(cygnet) && cygnet.state === 'running') heard.textContent = w.doing(cygnet.label);
	if (isReady) return ready(url);
	if (isFailed) return failed(message);
	const stage = list.current;
	now.textContent = stage ? w.doing(stage.label) : message;
	if (list.progress().part === null) track.set(progress / 100);
	return tick();
}

/** The stream would not open: what does the hub know about this server? */
async function lookUp(tries) {
	try {
		user = await me();
	} catch {
		fill(trouble, notice('warn', w.lost));
		return setTimeout(lookUp, 3000, tries);
	}
	if (record()?.ready) return ready(record().cygnet.lab_url);
	if (record()?.pending === 'spawn') return setTimeout(listen, 1000);
	const end = user.cygnet?.last_end;
	if (end?.cause === 'start_failed' && end.server === (server ?? '')) return failed(end.message, end.lines);
	return tries ? setTimeout(lookUp, 500, tries - 1) : nothing();
}

function listen() {
	source = new EventSource(hub + api + '/progress');
	source.onmessage = (event) => over || onEvent(JSON.parse(event.data));
	source.onerror = () => {
		if (source.readyState === EventSource.CLOSED) lookUp(3);
		else fill(trouble, notice('warn', w.lost));
	};
}

function follow() {
	over = false;
	listen();
	timer = setInterval(tick, 250);
}

page((...found) => {
	[site, user] = found;
	const stop = button(words.cancel, () => whileBusy(stop, w.cancelling, cancel));
	const choice = record()?.cygnet.choice;
	show([heading(server ? w.titleNamed(server) : w.title),
		panel(choice && h('p', { class: 'muted' }, choice), h('div', { class: 'stack' }, now, track.el, timing), trouble, list.el, heard, problem, actions(stop))]);
	follow();
});
