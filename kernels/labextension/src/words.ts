// Every sentence of the extension, to be read whole and translated.
import { count, duration, running, size, time } from './format.ts';
import type { CellRun, Count, SessionState } from './shapes.ts';
import { wanted } from './state.ts';

const join = (parts: (string | null | false)[]): string => parts.filter(Boolean).join(' · ');
const of = (n: Count, one: string, many: string): string => {
	const total = wanted(n);
	return n.done === total ? count(total, one, many) : `${n.done.toLocaleString('en-GB')} of ${count(total, one, many)}`;
};

const layers: Record<string, string> = {
	cluster: 'the cluster', site: 'the site', bundle: 'a bundle', bundles: 'a bundle', user: 'your settings', notebook: 'this notebook',
	connect: 'this form', policy: 'the site’s rules', sizes: 'the size of your server',
};

/** Why a value was lost; that a later one was set is what the column says already. */
const whys: Record<string, string> = { locked: ' (cannot be changed)', forbidden: ' (may not be set)' };

export const words = {
	title: 'Spark',
	caption: 'Spark: connect, settings, what runs',
	open: 'Show the Spark panel',
	tryAgain: 'Try again',
	cancel: 'Cancel',
	copyReport: 'Copy report',
	copied: 'Copied.',
	notCopied: 'The browser did not allow copying.',
	hidden: '(hidden)',
	unreachable: 'Your server does not answer. This looks again by itself.',
	refused: (status: number) => `Your server refused this (${status}).`,

	status: {
		label: (cluster: string | null, state: string) => (cluster === null ? `Spark: ${state}` : `Spark: ${cluster}, ${state}`),
		none: 'not connected',
		hint: 'Show the Spark panel',
	},

	state: {
		asking: 'starting', cluster: 'starting', driver: 'starting', ready: 'connected', failed: 'failed', lost: 'lost',
		ending: 'ending', gone: 'not connected',
	} satisfies Record<SessionState, string>,

	panel: {
		noNotebook: ['No notebook is open', 'Open a notebook to connect it to Spark.'],
		noKernel: ['This notebook has no kernel yet', 'Spark belongs to a kernel. Start one, then connect.'],
		checking: 'Looking what there is…',
		noCatalogue: 'What there is to choose from is not known now',
		noSpark: ['There is no Spark here', 'This server was started without a Spark cluster. Stop it and start it with one to use Spark.'],
		none: ['Not connected', 'The first line that uses spark connects by itself. Connect here to choose how.'],
		clusters: 'Cluster',
		unusable: 'cannot be used',
		flavour: 'Kind of session',
		flavours: {
			classic: 'classic: spark, sc, RDDs and libraries that use the JVM',
			connect: 'Connect: spark alone; a restarted kernel finds its views again',
		} as Record<string, string>,
		byDefault: 'what the cluster prefers',
		bundles: 'Bundles',
		bundleFilter: 'Filter bundles',
		bundleCount: (n: number) => count(n, 'option', 'options'),
		noBundles: 'No bundle has that word.',
		hiddenBundles: (n: number) => (n === 1 ? '1 bundle is for other clusters or versions.' : `${n} bundles are for other clusters or versions.`),
		connect: 'Connect',
		reconnect: 'End the session and connect with these',
		keep: 'Keep the session as it is',
		connecting: 'Connecting…',
		notebook: (name: string) => `Notebook ${name}`,
	},

	options: {
		title: (n: number) => (n === 0 ? 'Options' : `Options (${n})`),
		name: 'Name of the option',
		value: (name: string) => (name === '' ? 'Value' : `Value of ${name}`),
		enabled: (name: string) => `Use ${name || 'this option'}`,
		add: 'Add an option',
		remove: (name: string) => `Remove ${name || 'this option'}`,
		default: (value: string) => `default ${value}`,
		noDefault: 'no default',
		since: (version: string) => `since ${version}`,
		found: (n: number) => (n === 0 ? 'No known option fits.' : `${count(n, 'known option fits', 'known options fit')}.`),
		twice: (name: string) => `${name} stands here twice; the last one counts.`,
		use: (name: string) => `Use ${name}`,
		warning: 'Warning',
		error: 'Error',
	},

	preview: {
		title: 'What will be set',
		search: 'Search settings',
		setting: 'Setting',
		value: 'Value',
		from: 'Came from',
		over: 'Won over',
		locked: 'cannot be changed',
		layer: (name: string) => layers[name] ?? name.replace(/^bundle:/, 'bundle '),
		forbidden: '(left out)',
		lost: (value: string | null, layer: string, why: string | null) => `${value ?? words.hidden} of ${words.preview.layer(layer)}${whys[why ?? ''] ?? ''}`,
		nothing: 'No setting has that word.',
		shown: (n: number, all: number) => (n === all ? count(all, 'setting', 'settings') : `${n} of ${count(all, 'setting', 'settings')}`),
		failed: 'What will be set is not known now',
	},

	starting: {
		title: (label: string) => `Starting Spark: ${label}`,
		stage: { asking: 'Asking the hub for the settings', cluster: 'Starting the cluster', driver: 'Starting the driver' } as Record<string, string>,
		waiting: 'waiting',
		done: 'done',
		busy: 'under way',
		cancelled: 'Cancelled',
	},

	connected: {
		title: (label: string) => `Connected: ${label}`,
		cluster: 'Cluster',
		app: 'Application',
		flavour: 'Kind',
		since: 'Since',
		executors: 'Executors now',
		cores: (n: number, cores: number, memory: number) => join([String(n), count(cores, 'core', 'cores'), size(memory * 1048576)]),
		unknown: 'not known yet',
		ui: 'Open Spark UI',
		uiNew: 'Open Spark UI (in a new tab)',
		release: 'Release',
		releaseHint: 'Ends Spark for this notebook; the kernel and its variables stay.',
		releasing: 'Ending…',
		change: 'Change',
		idle: (ms: number) => `Nobody uses it: it is released in ${running(ms)}.`,
		ignored: (names: string[]) => `Not in force, because the session ran already: ${names.join(', ')}. Use “Change” for a new session.`,
		chosen: (n: number) => `What you chose (${n})`,
		save: 'Save in this notebook',
		saved: {
			whole: 'Now in the notebook; saving the notebook keeps it.',
			bare: 'Now in the notebook, without values that may be secrets; saving the notebook keeps it.',
		},
	},

	failed: {
		title: { failed: 'Spark could not be started', lost: 'Spark has ended' } as Record<string, string>,
		noCause: 'No cause is known.',
		again: 'Choose and try again',
		next: 'The next line that uses spark starts it anew.',
		report: 'Report of a Spark session',
		fields: {
			state: 'state', since: 'since', cluster: 'cluster', flavour: 'kind', app: 'application', cause: 'cause', hint: 'hint',
			bundles: 'bundles', options: 'options',
		},
	},

	monitor: {
		region: 'Spark jobs of this cell',
		progress: 'Tasks that are done',
		line: (run: CellRun, ms: number): string => {
			const live = run.state === 'running';
			return join([
				!live && words.monitor.states[run.state],
				of(run.jobs, 'job', 'jobs'), of(run.tasks, 'task', 'tasks'),
				live && run.executors !== null && count(run.executors, 'executor', 'executors'),
				live ? running(ms) : duration(ms),
			]);
		},
		states: { running: 'Running', succeeded: 'Done', failed: 'Failed', cancelled: 'Cancelled' } satisfies Record<CellRun['state'], string>,
		said: (run: CellRun): string => {
			if (run.state === 'running') return 'Spark works for this cell.';
			return join([`Spark: ${words.monitor.states[run.state].toLowerCase()}`, of(run.jobs, 'job', 'jobs'), run.failure]);
		},
		cancelHint: 'Cancel this cell’s Spark jobs',
		cancelling: 'Cancelling…',
		ui: 'Spark UI',
		show: 'Show jobs and stages',
		hide: 'Hide jobs and stages',
		failedStage: (id: number, name: string | null) => `Stage ${id}${name ? `, ${name}` : ''}, failed:`,
		plot: (tasks: number, executors: number) => `Over time: at most ${count(tasks, 'task', 'tasks')} at once, at most ${count(executors, 'executor', 'executors')}.`,
		plotTasks: (n: number) => `${n} at most`,
		legend: { tasks: 'tasks at once', executors: 'executors' },
		jobs: 'Jobs', stages: 'Stages',
		columns: { id: 'Id', name: 'Name', state: 'State', stages: 'Stages', time: 'Time', tasks: 'Tasks', input: 'Read', output: 'Written', shuffle: 'Shuffle', spilled: 'Spilled' },
		shuffle: (read: number | null, write: number | null) => (read || write ? `${size(read ?? 0)} in, ${size(write ?? 0)} out` : ''),
		tasks: (n: Count) => join([`${n.done} of ${wanted(n)}`, n.active > 0 && `${n.active} now`, n.failed > 0 && `${n.failed} failed`]),
		/** Spark's own words for jobs and stages, as a user would say them. */
		spark: (state: string): string => ({
			PENDING: 'waiting', ACTIVE: 'running', RUNNING: 'running', COMPLETE: 'done', SUCCEEDED: 'done', FAILED: 'failed', SKIPPED: 'skipped',
			UNKNOWN: 'not known',
		})[state.toUpperCase()] ?? state.toLowerCase(),
		more: (n: number) => `${n} more in the Spark UI`,
	},

	size, time, duration,
	list: (parts: (string | null | false)[]) => join(parts),
};
