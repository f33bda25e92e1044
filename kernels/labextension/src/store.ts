// The one place of a window that knows what Spark does: it asks once, follows the server's events, and asks again when
// events may have been missed. The views read .state and hear .changed.
import type { Event } from '@jupyterlab/services';
import { Signal, type ISignal } from '@lumino/signaling';
import type { Api } from './api.ts';
import type { App, Catalogue, Session, SparkEvent } from './shapes.ts';
import { afterApps, afterEvent, afterReply, afterSessions, isStarting, NOTHING, type SparkState } from './state.ts';

export const SCHEMA = 'https://events.cygnet/spark/v1';

/** Events come each second while something goes on; after this silence some may have been lost with a connection. */
const SILENCE_MS = 10_000;

/** Whether this server has Spark: not asked yet, yes, no (an older agent, or stock Jupyter), or no response. */
export type Availability = 'unknown' | 'yes' | 'no' | 'unreachable';

/** An agent that keeps no applications still has sessions. */
function noneIfMissing(error: unknown): App[] {
	if ((error as { status?: number }).status === 404) return [];
	throw error;
}

export class Store {
	state: SparkState = NOTHING;
	availability: Availability = 'unknown';
	/** null: not known yet, or not now, and then the problem says why. */
	catalogue: Catalogue | null = null;
	problem: string | null = null;
	private cluster: string | null = null;
	private heardAt = 0;
	private asking: Promise<void> | null = null;
	private readonly signal = new Signal<this, void>(this);

	readonly api: Api;

	constructor(api: Api) {
		this.api = api;
	}

	get changed(): ISignal<this, void> {
		return this.signal;
	}

	/** Follows the events before it asks, so that nothing falls between. */
	start(events: Event.IManager): void {
		events.stream.connect((_, emission) => {
			if (emission.schema_id === SCHEMA) this.hear(emission as unknown as SparkEvent);
		});
		const whenSilent = (all: boolean): void => {
			if (!document.hidden && (all || this.isWaiting()) && performance.now() - this.heardAt >= SILENCE_MS) void this.refresh();
		};
		document.addEventListener('visibilitychange', () => whenSilent(true));
		window.addEventListener('online', () => void this.refresh());
		setInterval(() => whenSilent(false), SILENCE_MS / 2);
		void this.refresh();
	}

	/** Asks for everything; one at a time. */
	refresh(): Promise<void> {
		this.asking ??= this.askAll().finally(() => (this.asking = null));
		return this.asking;
	}

	/** Each cluster has bundles of its own. */
	lookAt(cluster: string): Promise<void> {
		this.cluster = cluster;
		return this.askCatalogue();
	}

	/** A session that a request of ours told of, perhaps before its event. */
	tell(session: Session): void {
		this.state = afterReply(this.state, session, performance.now());
		this.signal.emit();
	}

	private hear(event: SparkEvent): void {
		this.heardAt = performance.now();
		this.state = afterEvent(this.state, event, this.heardAt);
		this.signal.emit();
	}

	private async askAll(): Promise<void> {
		const asked = performance.now();
		try {
			const [sessions, apps] = await Promise.all([this.api.connections(), this.api.apps().catch(noneIfMissing)]);
			const now = performance.now();
			this.state = afterApps(afterSessions(this.state, sessions, asked, now), apps, asked, now);
			this.availability = 'yes';
		} catch (error) {
			this.availability = (error as { status?: number }).status === 404 ? 'no' : 'unreachable';
		}
		this.heardAt = performance.now();
		this.signal.emit();
		if (this.availability === 'yes' && this.catalogue === null) await this.askCatalogue();
	}

	/** The hub is behind it: sessions and cells are known without. */
	private async askCatalogue(): Promise<void> {
		const { cluster } = this;
		try {
			const catalogue = await this.api.catalogue(cluster);
			if (cluster !== this.cluster) return;
			this.catalogue = catalogue;
			this.problem = null;
		} catch (error) {
			this.problem = (error as Error).message;
		}
		this.signal.emit();
	}

	/** Something goes on of which events should tell. */
	private isWaiting(): boolean {
		return this.availability === 'unreachable' || (this.availability === 'yes' && this.catalogue === null) || [...this.state.cells.values()].some((one) => one.run.state === 'running') ||
			[...this.state.sessions.values()].some(({ session }) => isStarting(session.state) || session.state === 'ending');
	}
}
