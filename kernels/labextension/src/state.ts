// What is known of Spark in this window, and how answers and events change it: pure. store.ts holds the current one.
import type { App, CellRun, Count, Session, SessionState, SparkEvent } from './shapes.ts';

/** A cell's run with when this window heard of it, on the window's clock: the server's may be another. */
export interface Heard {
	app: string;
	run: CellRun;
	/** When the last news came, and when this execution was first heard of. */
	at: number;
	first: number;
}

/** How long a stage of a start took; ended is null while it goes on, started when this window did not see it begin. */
export interface StageTime {
	stage: SessionState;
	started: number | null;
	ended: number | null;
}

export interface SparkState {
	sessions: ReadonlyMap<string, { session: Session; at: number }>;
	apps: ReadonlyMap<string, { app: App; at: number }>;
	/** By application and cell. */
	cells: ReadonlyMap<string, Heard>;
	starts: ReadonlyMap<string, readonly StageTime[]>;
}

export const NOTHING: SparkState = { sessions: new Map(), apps: new Map(), cells: new Map(), starts: new Map() };

/** The stages of a start in their order. */
export const STARTING: readonly SessionState[] = ['asking', 'cluster', 'driver'];

export const isStarting = (state: SessionState): boolean => STARTING.includes(state);

const keyOf = (app: string, cell: string): string => `${app}\n${cell}`;

function nextStarts(before: readonly StageTime[] | undefined, state: SessionState, now: number): readonly StageTime[] {
	const last = before?.at(-1);
	if (last?.stage === state) return before!;
	const closed = (before ?? []).map((one) => (one.ended === null ? { ...one, ended: now } : one));
	// A start that this window did not see begin has no time of its own.
	return isStarting(state) ? [...closed, { stage: state, started: before || state === 'asking' ? now : null, ended: null }] : closed;
}

function withSession(state: SparkState, session: Session, now: number): SparkState {
	const sessions = new Map(state.sessions);
	const starts = new Map(state.starts);
	if (session.state === 'gone') {
		sessions.delete(session.id);
		starts.delete(session.id);
	} else {
		sessions.set(session.id, { session, at: now });
		starts.set(session.id, nextStarts(starts.get(session.id), session.state, now));
	}
	return { ...state, sessions, starts };
}

function heard(before: Heard | undefined, app: string, run: CellRun, now: number): Heard {
	return { app, run, at: now, first: before && before.run.msg === run.msg ? before.first : now };
}

/** After an event. One of a kind that is not known changes nothing. */
export function afterEvent(state: SparkState, event: SparkEvent, now: number): SparkState {
	switch (event.kind) {
		case 'session':
			return withSession(state, event.session, now);
		case 'app':
			return { ...state, apps: new Map(state.apps).set(event.app.app, { app: event.app, at: now }) };
		case 'cell': {
			const key = keyOf(event.app, event.cell.cell);
			return { ...state, cells: new Map(state.cells).set(key, heard(state.cells.get(key), event.app, event.cell, now)) };
		}
		default:
			return state;
	}
}

/** After a request of ours told of a session: events of a session that is known already are newer than the reply. */
export const afterReply = (state: SparkState, session: Session, now: number): SparkState =>
	(state.sessions.has(session.id) ? state : withSession(state, session, now));

/** After the list of sessions, asked for at `asked`: what an event told later than that is newer. */
export function afterSessions(state: SparkState, list: readonly Session[], asked: number, now: number): SparkState {
	const listed = new Set(list.map((one) => one.id));
	const newer = (id: string): boolean => (state.sessions.get(id)?.at ?? 0) > asked;
	let next = state;
	for (const [id, { session }] of state.sessions) {
		if (!listed.has(id) && !newer(id)) next = withSession(next, { ...session, state: 'gone' }, now);
	}
	for (const session of list) if (!newer(session.id)) next = withSession(next, session, now);
	return next;
}

/** After the list of applications with their cells, likewise. What the agent no longer keeps is forgotten. */
export function afterApps(state: SparkState, list: readonly App[], asked: number, now: number): SparkState {
	const apps = new Map([...state.apps].filter(([, one]) => one.at > asked));
	const cells = new Map([...state.cells].filter(([, one]) => one.at > asked));
	for (const { cells: runs = [], ...app } of list) {
		if (!apps.has(app.app)) apps.set(app.app, { app, at: now });
		for (const run of runs) {
			const key = keyOf(app.app, run.cell);
			if (!cells.has(key)) cells.set(key, heard(state.cells.get(key), app.app, run, now));
		}
	}
	return { ...state, apps, cells };
}

const LIVE: readonly SessionState[] = [...STARTING, 'ready', 'ending'];

/** The session of a kernel that counts: a live one before one that has ended, then the newest. */
export function sessionOf(state: SparkState, kernel: string | null): Session | null {
	const rank = (one: Session): number => (LIVE.includes(one.state) ? 1 : 0);
	const all = [...state.sessions.values()].map((one) => one.session).filter((one) => one.kernel === kernel);
	all.sort((a, b) => rank(b) - rank(a) || (b.since ?? '').localeCompare(a.since ?? ''));
	return all[0] ?? null;
}

/** What each cell of a kernel did last, by the cell's id. */
export function cellsOf(state: SparkState, kernel: string | null): Map<string, Heard> {
	const found = new Map<string, Heard>();
	for (const one of state.cells.values()) {
		if (one.run.kernel !== kernel) continue;
		const other = found.get(one.run.cell);
		if (!other || (one.run.started ?? '') >= (other.run.started ?? '')) found.set(one.run.cell, one);
	}
	return found;
}

export const appOf = (state: SparkState, id: string | null): App | null => (id === null ? null : state.apps.get(id)?.app ?? null);

/**
 * How long a run has gone on, in milliseconds: between the server's own times when it ended; else the last moment of its
 * plot and what has passed here since then, so that the clocks of server and browser need not agree.
 */
export function elapsed(one: Heard, now: number): number {
	const { run } = one;
	const whole = run.ended === null ? null : new Date(run.ended).getTime() - new Date(run.started ?? NaN).getTime();
	if (whole !== null && !Number.isNaN(whole)) return Math.max(0, whole);
	const told = run.plot.at(-1)?.[0];
	return told === undefined ? now - one.first : Math.max(now - one.first, told + (run.state === 'running' ? now - one.at : 0));
}

/** Cells that were quick stay clean: a run is shown when it lasts a second or more, or when it failed. */
export const SHOWN_AFTER_MS = 1000;
export const isShown = (one: Heard, now: number): boolean =>
	one.run.state === 'failed' || one.run.state === 'cancelled' || elapsed(one, now) >= SHOWN_AFTER_MS;

/** How many there are to do: those that Spark skips are not work. */
export const wanted = (of: Count): number => Math.max(of.done, of.total - of.skipped);

/** The part of the tasks that is done, 0 to 1. */
export function progress(run: CellRun): number {
	if (run.state === 'succeeded') return 1;
	const total = wanted(run.tasks);
	return total === 0 ? 0 : Math.min(1, run.tasks.done / total);
}
