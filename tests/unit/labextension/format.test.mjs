// Numbers, times and lines as users read them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { between, count, duration, running, size, time } from '../../../kernels/labextension/src/format.ts';
import { words } from '../../../kernels/labextension/src/words.ts';
import { count as counted, run } from '../../fakes/spark_agent.mjs';

const plain = (text) => text.replaceAll('\u00a0', ' ');

test('durations', () => {
	assert.deepEqual([20, 400, 9940, 14_400, 125_000, 3_780_000].map((ms) => plain(duration(ms))), ['< 0.1 s', '0.4 s', '9.9 s', '14 s', '2 min 05 s', '1 h 03 min']);
	assert.deepEqual([-5, 999, 9999, 59_999, 61_000].map((ms) => plain(running(ms))), ['0 s', '0 s', '9 s', '59 s', '1 min 01 s']);
	assert.equal(between('2026-01-01T10:00:00Z', '2026-01-01T10:00:02Z'), 2000);
	assert.equal(between('2026-01-01T10:00:00Z', null), null);
});

test('sizes and counts', () => {
	assert.deepEqual([0, 999, 1536, 536870912, 1.6e9, 5e13].map((bytes) => plain(size(bytes))), ['0 B', '999 B', '1.5 KB', '512 MB', '1.5 GB', '45 TB']);
	assert.deepEqual([count(1, 'task', 'tasks'), count(1200, 'task', 'tasks')].map(plain), ['1 task', '1,200 tasks']);
});

test('times that are not known are empty', () => {
	assert.equal(time(null), '');
	assert.equal(time('nonsense'), '');
	assert.match(time('2026-01-01T10:00:00', new Date('2026-01-01T12:00:00')), /^10:00$/);
	assert.match(time('2026-01-01T10:00:00', new Date('2026-01-02T12:00:00')), /^1 Jan, 10:00$/);
});

test('the line of a cell that runs, and of one that has ended', () => {
	const live = run('k', 'c', { jobs: counted(5, 3, 1), tasks: counted(800, 412, 2) });
	assert.equal(plain(words.monitor.line(live, 14_300)), '3 of 5 jobs · 412 of 800 tasks · 2 executors · 14 s');
	const ended = { ...live, state: 'succeeded', jobs: counted(5, 5), tasks: counted(800, 780, 0, { skipped: 20 }) };
	assert.equal(plain(words.monitor.line(ended, 14_300)), 'Done · 5 jobs · 780 tasks · 14 s');
	assert.equal(plain(words.monitor.line({ ...live, state: 'failed' }, 2000)), 'Failed · 3 of 5 jobs · 412 of 800 tasks · 2.0 s');
});
