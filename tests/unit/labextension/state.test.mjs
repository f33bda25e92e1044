// What answers and events make of what a window knows of Spark.
import assert from 'node:assert/strict';
import test from 'node:test';
import {
	NOTHING, afterApps, afterEvent, afterReply, afterSessions, appOf, cellsOf, elapsed, isShown, progress, sessionOf,
} from '../../../kernels/labextension/src/state.ts';
import { app, count, run, session } from '../../fakes/spark_agent.mjs';

const withCell = (state, one, now) => afterEvent(state, { kind: 'cell', app: 'a1', cell: one }, now);
const withSession = (state, one, now) => afterEvent(state, { kind: 'session', session: one }, now);
const told = (cells) => ({ ...app('k', '/'), app: 'a1', cells });

test('an event of a kind that is not known changes nothing', () => {
	assert.equal(afterEvent(NOTHING, { kind: 'later' }, 1), NOTHING);
});

test('the session of a kernel is the live one, then the newest', () => {
	let state = withSession(NOTHING, session('k', { id: 'old', state: 'failed', since: '2026-01-01T10:00:00Z' }), 1);
	state = withSession(state, session('k', { id: 'live', state: 'ready', since: '2026-01-01T09:00:00Z' }), 2);
	state = withSession(state, session('other', { id: 'not', state: 'ready' }), 3);
	assert.equal(sessionOf(state, 'k').id, 'live');
	state = withSession(state, session('k', { id: 'live', state: 'gone' }), 4);
	assert.equal(sessionOf(state, 'k').id, 'old');
	assert.equal(sessionOf(state, null), null);
});

test('the reply to a request does not undo what events told meanwhile', () => {
	const asking = session('k', { id: 's', state: 'asking' });
	let state = afterReply(NOTHING, asking, 1);
	assert.equal(sessionOf(state, 'k').state, 'asking');
	state = withSession(state, { ...asking, state: 'cluster' }, 2);
	assert.equal(sessionOf(afterReply(state, asking, 3), 'k').state, 'cluster');
});

test('the stages of a start are timed from what this window saw', () => {
	let state = withSession(NOTHING, session('k', { id: 's', state: 'asking' }), 100);
	state = withSession(state, session('k', { id: 's', state: 'asking', text: 'still' }), 150);
	state = withSession(state, session('k', { id: 's', state: 'driver' }), 400);
	state = withSession(state, session('k', { id: 's', state: 'ready' }), 900);
	assert.deepEqual(state.starts.get('s'), [
		{ stage: 'asking', started: 100, ended: 400 }, { stage: 'driver', started: 400, ended: 900 },
	]);
});

test('a stage that was under way before the window opened has no time', () => {
	const state = withSession(NOTHING, session('k', { id: 's', state: 'driver' }), 100);
	assert.deepEqual(state.starts.get('s'), [{ stage: 'driver', started: null, ended: null }]);
});

test('a list of sessions drops those that are gone and keeps what an event told later', () => {
	let state = withSession(NOTHING, session('k', { id: 'gone', state: 'ready' }), 10);
	state = withSession(state, session('k', { id: 'newer', state: 'ready' }), 30);
	state = afterSessions(state, [session('k', { id: 'newer', state: 'driver' }), session('k', { id: 'listed', state: 'ready' })], 20, 40);
	assert.deepEqual([...state.sessions].map(([id, one]) => [id, one.session.state]), [['newer', 'ready'], ['listed', 'ready']]);
});

test('an event that came while the list of applications was under way is not undone by it', () => {
	let state = withCell(NOTHING, run('k', 'c', { done: 0.75 }), 30);
	state = afterApps(state, [told([run('k', 'c', { done: 0.25 }), run('k', 'd')])], 20, 40);
	assert.equal(cellsOf(state, 'k').get('c').run.tasks.done, 600);
	assert.equal(cellsOf(state, 'k').get('d').run.tasks.done, 400);
	assert.equal(appOf(state, 'a1').cells, undefined);
});

test('what the agent no longer keeps is forgotten', () => {
	let state = afterApps(NOTHING, [told([run('k', 'c')])], 1, 2);
	state = afterApps(state, [], 5, 6);
	assert.deepEqual([state.apps.size, state.cells.size], [0, 0]);
});

test('the last run of a cell is shown, of whichever application', () => {
	let state = withCell(NOTHING, run('k', 'c', { started: '2026-01-01T10:00:00Z', msg: 'first' }), 1);
	state = afterEvent(state, { kind: 'cell', app: 'a2', cell: run('k', 'c', { started: '2026-01-01T11:00:00Z', msg: 'second' }) }, 2);
	state = withCell(state, run('k', 'c', { started: '2026-01-01T10:00:00Z', msg: 'first', state: 'failed' }), 3);
	assert.equal(cellsOf(state, 'k').get('c').run.msg, 'second');
	assert.equal(cellsOf(state, 'other').size, 0);
});

test('how long a run goes on does not depend on the clocks of server and browser', () => {
	const started = '2001-01-01T00:00:00Z';
	const live = run('k', 'c', { started, plot: [[0, 1, 1], [7000, 2, 2]] });
	const state = withCell(NOTHING, live, 1000);
	assert.equal(elapsed(cellsOf(state, 'k').get('c'), 3500), 9500);
	const ended = withCell(state, { ...live, state: 'succeeded', ended: '2001-01-01T00:00:08Z' }, 4000);
	assert.equal(elapsed(cellsOf(ended, 'k').get('c'), 99999), 8000);
	const unplotted = withCell(NOTHING, run('k', 'c', { plot: [] }), 1000);
	assert.equal(elapsed(cellsOf(unplotted, 'k').get('c'), 1700), 700);
});

test('a run that begins anew is counted anew', () => {
	let state = withCell(NOTHING, run('k', 'c', { msg: 'one', plot: [] }), 1000);
	state = withCell(state, run('k', 'c', { msg: 'one', plot: [] }), 2000);
	assert.equal(cellsOf(state, 'k').get('c').first, 1000);
	state = withCell(state, run('k', 'c', { msg: 'two', plot: [] }), 3000);
	assert.equal(cellsOf(state, 'k').get('c').first, 3000);
});

test('quick cells stay clean unless they failed', () => {
	const quick = { started: '2026-01-01T10:00:00.000Z', ended: '2026-01-01T10:00:00.400Z' };
	const shown = (more) => isShown(cellsOf(withCell(NOTHING, run('k', 'c', more), 0), 'k').get('c'), 5);
	assert.equal(shown({ ...quick, state: 'succeeded' }), false);
	assert.equal(shown({ ...quick, state: 'failed' }), true);
	assert.equal(shown({ state: 'running', plot: [] }), false);
	assert.equal(shown({ state: 'running' }), true);
});

test('skipped tasks are not work to do, and the end of a cell is the end of its bar', () => {
	assert.equal(progress(run('k', 'c', { tasks: count(100, 40, 0, { skipped: 20 }) })), 0.5);
	assert.equal(progress(run('k', 'c', { tasks: count(0, 0) })), 0);
	assert.equal(progress(run('k', 'c', { tasks: count(100, 98), state: 'succeeded' })), 1);
});
