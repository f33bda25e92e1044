// Pages 2 and 4, and 424: nothing running (one click, or the form at /hub/spawn), starting, running, stopping.
import { call, get, here, home, hub, me, next, ownApi, pendingPage, serverApi, start, userPath, withNext } from './api.mjs';
import { ask } from './dialog.mjs';
import { actions, button, fill, h, heading, icon, line, link, muted, p, panel, says, show, whileBusy } from './dom.mjs';
import { choiceLine, isSame, linkWish, nearest, startForm } from './form.mjs';
import { notice, problemBox, reportButton, technical } from './notice.mjs';
import { goHome, page, signOut } from './shell.mjs';
import { meter } from './stages.mjs';
import { words } from './words.mjs';

const w = words.home;
const isError = document.querySelector('h1') !== null;
const goal = isError ? here : next;
const isForm = () => location.pathname.startsWith(`${hub}/spawn`);
let site, user, form, timer, said;

const record = () => user.servers?.[''];
function stateNow() {
	const server = record();
	if (server?.pending) return server.pending;
	return server?.ready ? 'running' : 'stopped';
}

/** How the last server ended; stays until dismissed. */
function lastEnd() {
	const end = user.cygnet?.last_end;
	if (!end || (end.cause === 'stopped' && !end.message)) return null;
	const [title, advice] = words.end[end.cause] ?? words.end.unknown;
	const dismiss = () => {
		user.cygnet.last_end = null;
		call('POST', '/api/cygnet/last-end/dismiss', {}).catch(() => {});
		draw(true);
	};
	return notice(end.cause === 'stopped' ? 'info' : 'bad', title, `${end.message} ${words.end.at(end.at)}`, advice, technical(end.lines),
		actions(button(words.dismiss, dismiss, 'quiet'), reportButton(site, user.name, () => [`${end.at} ${end.cause}: ${end.message}`, end.lines ?? []])));
}

// ---- nothing running ----
/** Then opens `file`, or what the visit was for. */
async function begin(choice, file) {
	const path = file?.replace(/^[~/]+/, '').split('/').map(encodeURIComponent).join('/');
	await start(user.name, '', choice, path ? userPath(user.name, `lab/tree/${path}`) : goal).catch(async (err) => {
		await look();
		if (stateNow() === 'stopped') throw err;
	});
}

function openForm() {
	history.pushState(1, '', withNext(`${hub}/spawn`, goal));
	draw(true);
}

function quickStart(choice) {
	const same = isSame(form.last, choice);
	const [problem, tell] = problemBox();
	const go = button([icon('play'), w.start], () => whileBusy(go, w.starting, () => begin(choice).catch(tell)), 'primary big');
	return [heading(isError ? words.e424[0] : w.title), lastEnd(), !same && notice('warn', w.gone),
		panel(isError ? p(words.e424[1]) : !form.last && h('div', { class: 'stack muted' }, w.teach.map((text) => p(text))),
			line(choiceLine(form, choice)), actions(go, button(w.change, openForm, 'big')), problem)];
}

function stopped() {
	const wish = isForm() ? { ...form.last, ...linkWish() } : form.last;
	const choice = nearest(form, wish);
	if (!choice) return says(w.nothing, site.help_url && link(words.form.ask, site.help_url));
	if (!isForm()) return quickStart(choice);
	const onCancel = () => (history.state ? history.back() : location.assign(home));
	return startForm(form, site, choice, { onStart: begin, onCancel, warning: !isSame(wish, choice) && notice('warn', w.gone) });
}

// ---- running ----
async function stop() {
	const busy = ((await figures())?.kernels ?? []).filter((k) => k.state === 'busy').map(nameOf);
	if (busy.length && !(await ask(w.busyTitle, w.busyText, busy, w.stopAnyway, w.keep))) return;
	await call('DELETE', serverApi(user.name));
	said = w.stopped;
	await look();
}

const nameOf = (kernel) => kernel.path || kernel.name;

/** Null where the hub cannot say. */
const figures = () => get(ownApi(user.name, 'stat')).catch(() => null);

async function drawFigures(el) {
	const { memory, cpu, kernels } = (await figures()) ?? {};
	const names = kernels?.map((k) => (k.state === 'busy' ? w.working(nameOf(k)) : nameOf(k)));
	fill(el, memory && meter(w.memory, w.memoryOf(memory), memory.used, memory.limit),
		cpu && meter(w.cpu, w.cpuOf(cpu), cpu.cores_used, cpu.cores), names && muted(w.kernels(names)));
}

async function running({ started, url, cygnet }) {
	const box = h('div', { class: 'stack' });
	const [problem, tell] = problemBox();
	const stopButton = button(w.stop, () => whileBusy(stopButton, w.stoppingButton, () => stop().catch(tell)));
	await drawFigures(box);
	repeat(5000, () => drawFigures(box));
	return [heading(w.running), isForm() && notice('info', w.already), lastEnd(), panel(
		actions(link(w.openLab, cygnet.lab_url ?? url, 'primary big'), cygnet.notebook_url && link(w.openNotebook, cygnet.notebook_url, 'big')),
		h('dl', { class: 'pairs' }, h('dt', {}, w.environment), h('dd', {}, cygnet.choice),
			started && [h('dt', {}, w.since), h('dd', {}, w.sinceLine(started, Date.now() - Date.parse(started)))]),
		box, actions(stopButton, cygnet.spark && link(w.spark, `${hub}/spark`)), problem)];
}

function repeat(ms, work) {
	clearInterval(timer);
	timer = setInterval(() => document.hidden || work(), ms);
}

/** Draws anew only if something is different: nothing moves under the pointer. */
async function look() {
	const shown = () => JSON.stringify([stateNow(), user.cygnet?.last_end]);
	const before = shown();
	user = await me().catch(() => user);
	if (shown() !== before) await draw(true);
}

async function draw(focus) {
	const state = stateNow();
	let nodes;
	clearInterval(timer);
	if (state === 'running') nodes = await running(record());
	else if (state === 'spawn') nodes = says([w.pending, record().cygnet.choice], link(w.show, pendingPage(user.name, '', goal), 'primary big'));
	else if (state === 'stop') nodes = says(w.stopping);
	else {
		form ??= await get('/api/cygnet/form');
		nodes = stopped();
		if (said) nodes.splice(1, 0, notice('good', said));
		said = null;
	}
	if (state === 'spawn' || state === 'stop') repeat(1000, look);
	show(nodes, focus);
}

page(async (...found) => {
	[site, user] = found;
	if (location.pathname === `${hub}/logout`) return show(says(words.leave, button(words.signOut, signOut, 'primary'), goHome('')));
	addEventListener('popstate', () => draw(true));
	addEventListener('visibilitychange', () => document.hidden || look());
	setInterval(() => document.hidden || isForm() || look(), 10000);
	await draw(false);
});
