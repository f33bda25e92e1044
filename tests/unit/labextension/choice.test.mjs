// What is chosen before connecting, what a notebook keeps of it, what fits.
import assert from 'node:assert/strict';
import test from 'node:test';
import {
	NO_CHOICE, bundlesToSend, complete, connectBody, fitsVersion, leavesOut, readMetadata, report, settle, twice, writeMetadata,
} from '../../../kernels/labextension/src/choice.ts';
import { CATALOGUE, session } from '../../fakes/spark_agent.mjs';

const reader = (metadata) => (key) => metadata[key];
const row = (name, value, enabled = true) => ({ name, value, enabled });
const names = (typed) => complete(CATALOGUE.options, typed).map((one) => one.name);

test('a notebook that SWAN wrote is read', () => {
	const swan = { sparkconnect: { bundled_options: ['NXCALS'], list_of_options: [{ name: 'a', value: '1' }, { name: 'b', value: '2', isEnabled: false }] } };
	assert.deepEqual(readMetadata(reader(swan)), { cluster: null, flavour: null, bundles: ['NXCALS'], options: [row('a', '1'), row('b', '2', false)] });
});

test('what is written is read again, by us and by SWAN, and other members stay', () => {
	const choice = { cluster: 'nxcals', flavour: 'classic', bundles: ['unknown here'], options: [row('a', '1'), row('b', '2', false)] };
	const written = Object.fromEntries(writeMetadata(choice, reader({ cygnet: { other: 1 } })));
	assert.deepEqual(readMetadata(reader(written)), choice);
	assert.equal(written.cygnet.other, 1);
	assert.deepEqual(written.sparkconnect, {
		bundled_options: ['unknown here'], list_of_options: [{ name: 'a', value: '1', isEnabled: true }, { name: 'b', value: '2', isEnabled: false }],
	});
});

test('no value that may be a secret is written into a notebook', () => {
	const choice = { ...NO_CHOICE, options: [row('spark.hadoop.fs.s3a.secret.key', 'CANARY'), row('spark.executor.memory', '4g')] };
	const written = JSON.stringify(writeMetadata(choice, reader({})));
	assert.doesNotMatch(written, /CANARY/);
	assert.match(written, /4g/);
	assert.deepEqual([leavesOut(choice), leavesOut({ ...choice, options: choice.options.slice(1) })], [true, false]);
});

test('metadata that is not ours is nothing', () => {
	for (const cygnet of [undefined, null, 7, 'x', [], { spark: 'x' }]) assert.equal(readMetadata(reader({ cygnet })), null);
	assert.deepEqual(readMetadata(reader({ sparkconnect: { bundled_options: [1, 'a'], list_of_options: [null, { value: 'x' }, { name: 'n' }] } })),
		{ ...NO_CHOICE, bundles: ['a'], options: [row('n', '')] });
});

test('a cluster that cannot be used gives way to that of the start form', () => {
	assert.equal(settle({ ...NO_CHOICE, cluster: 'analytix' }, CATALOGUE).cluster, 'local');
	assert.equal(settle({ ...NO_CHOICE, cluster: 'nxcals', flavour: 'connect' }, CATALOGUE).flavour, null);
	assert.equal(settle(NO_CHOICE, { ...CATALOGUE, clusters: [] }).cluster, null);
});

test('bundles are sent where cluster and version fit, and kept where they do not', () => {
	const choice = { ...NO_CHOICE, cluster: 'local', bundles: ['Kafka', 'NXCALS', 'Old serialiser', 'unknown'] };
	assert.deepEqual(bundlesToSend(choice, CATALOGUE), ['Kafka']);
	assert.deepEqual(bundlesToSend({ ...choice, cluster: 'nxcals' }, CATALOGUE), ['Kafka', 'NXCALS']);
});

test('a version filter names a whole version, the beginning of one, or what SWAN calls it', () => {
	assert.deepEqual(['4.2.0', '4.2', '4', 'spark4', 'spark3', '4.20', '2'].map((one) => fitsVersion(one, '4.2.0')),
		[true, true, true, true, false, false, false]);
});

test('only rows that are enabled and named are asked for', () => {
	const options = [row(' spark.a ', '1'), row('', 'x'), row('spark.b', '2', false)];
	assert.deepEqual(connectBody({ ...NO_CHOICE, cluster: 'local', options }, null, CATALOGUE, 'k'),
		{ kernel: 'k', cluster: 'local', bundles: [], options: { 'spark.a': '1' } });
	assert.deepEqual(twice({ ...NO_CHOICE, options: [row('a', '1'), row('a ', '2'), row('b', '1'), row('b', '2', false)] }), ['a']);
});

test('what the notebook keeps and the form still says is asked for as the notebook’s', () => {
	const saved = { ...NO_CHOICE, bundles: ['Kafka'], options: [row('same', '1'), row('changed', '1'), row('removed', '1'), row('my.token', '')] };
	const form = {
		...NO_CHOICE, cluster: 'local', bundles: ['Kafka', 'Large shuffles'],
		options: [row('same', '1'), row('changed', '2'), row('new', '3'), row('my.token', '')],
	};
	assert.deepEqual(connectBody(form, saved, CATALOGUE, 'k'), {
		kernel: 'k', cluster: 'local', notebook: { bundles: ['Kafka'], options: { same: '1' } },
		bundles: ['Large shuffles'], options: { changed: '2', new: '3' },
	});
});

test('names are completed from their beginning, then from the beginning of a part, then from within', () => {
	assert.deepEqual(names('spark.exec'), ['spark.executor.cores', 'spark.executor.memory', 'spark.executor.memoryOverhead']);
	assert.deepEqual(names('MEMORY'), ['spark.driver.memory', 'spark.executor.memory', 'spark.executor.memoryOverhead']);
	assert.deepEqual(names('overhead'), ['spark.executor.memoryOverhead']);
	assert.deepEqual(names('nothing'), []);
	assert.equal(complete(CATALOGUE.options, '', 2).length, 2);
});

test('a report holds no value that may be a secret', () => {
	const options = { 'spark.hadoop.fs.s3a.secret.key': 'A', 'spark.x.password': 'B', 'spark.my.token': 'C', 'spark.unknown': null, 'spark.executor.memory': '4g' };
	const text = report(session('k', { state: 'failed', cause: 'No memory.', options }));
	assert.match(text, /spark\.executor\.memory = 4g/);
	assert.match(text, /cause: No memory\./);
	assert.doesNotMatch(text, / [ABC]\n/);
});
