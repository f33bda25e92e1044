// What the panel shows of the notebook in front, and what its buttons do. The views are in panel.tsx and below.
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Signal, type ISignal } from '@lumino/signaling';
import { choiceOf, connectBody, leavesOut, NO_CHOICE, readMetadata, settle, writeMetadata, type Choice } from './choice.ts';
import type { ConnectBody, Session } from './shapes.ts';
import { isStarting, sessionOf } from './state.ts';
import type { Store } from './store.ts';

/** Each has a view of its own. */
export type Kind = 'noNotebook' | 'noKernel' | 'checking' | 'noSpark' | 'unreachable' | 'noCatalogue' | 'form' | 'starting' | 'connected' | 'failed';

interface Draft {
	choice: Choice;
	/** The form is shown although there is a session. */
	editing: boolean;
	/** How it was written into the notebook since the last change. */
	saved: 'whole' | 'bare' | null;
	busy: 'connect' | 'release' | null;
	problem: string | null;
}

export class PanelModel {
	/** The next change of view is what a user asked for: the focus goes there. */
	moveFocus = false;
	readonly store: Store;
	private readonly tracker: INotebookTracker;
	private readonly drafts = new WeakMap<NotebookPanel, Draft>();
	private readonly signal = new Signal<this, void>(this);
	private followed: NotebookPanel | null = null;

	constructor(store: Store, tracker: INotebookTracker) {
		this.store = store;
		this.tracker = tracker;
		store.changed.connect(this.emit, this);
		tracker.currentChanged.connect(this.follow, this);
		this.follow();
	}

	get changed(): ISignal<this, void> {
		return this.signal;
	}

	get kernel(): string | null {
		return this.panel?.sessionContext.session?.kernel?.id ?? null;
	}

	get notebook(): string | null {
		return this.panel?.title.label ?? null;
	}

	get session(): Session | null {
		return this.kernel === null ? null : sessionOf(this.store.state, this.kernel);
	}

	get kind(): Kind {
		const { store, session } = this;
		if (store.availability === 'no') return 'noSpark';
		if (store.availability === 'unknown') return 'checking';
		if (store.availability === 'unreachable') return 'unreachable';
		if (!this.panel) return 'noNotebook';
		if (this.kernel === null) return 'noKernel';
		if (session && isStarting(session.state)) return 'starting';
		if (this.draft.editing || !session) {
			if (store.catalogue === null) return store.problem === null ? 'checking' : 'noCatalogue';
			return store.catalogue.clusters.length === 0 ? 'noSpark' : 'form';
		}
		return session.state === 'failed' || session.state === 'lost' ? 'failed' : 'connected';
	}

	/** Of the notebook in front; what the notebook itself keeps, the first time. */
	get draft(): Draft {
		const { panel } = this;
		const fresh = (choice: Choice): Draft => ({ choice, editing: false, saved: null, busy: null, problem: null });
		// Before that its metadata is empty, whatever the file says.
		if (!panel?.model || !panel.context.isReady) return fresh(NO_CHOICE);
		let draft = this.drafts.get(panel);
		if (!draft) {
			draft = fresh(this.kept ?? NO_CHOICE);
			this.drafts.set(panel, draft);
		}
		return draft;
	}

	/** What the notebook in front keeps. */
	private get kept(): Choice | null {
		const model = this.panel?.model;
		return model ? readMetadata((key) => model.getMetadata(key)) : null;
	}

	/** The choice with what the catalogue adds to it. */
	get choice(): Choice {
		const { catalogue } = this.store;
		return catalogue ? settle(this.draft.choice, catalogue) : this.draft.choice;
	}

	get body(): ConnectBody | null {
		const { catalogue } = this.store;
		return catalogue && this.kernel !== null ? connectBody(this.choice, this.kept, catalogue, this.kernel) : null;
	}

	change(part: Partial<Choice>): void {
		if (part.cluster != null && part.cluster !== this.choice.cluster) void this.store.lookAt(part.cluster);
		this.set({ choice: { ...this.choice, ...part }, saved: null, problem: null });
	}

	save(): void {
		const model = this.panel?.model;
		if (!model) return;
		const { session } = this;
		const choice = this.kind === 'connected' && session ? choiceOf(session) : this.choice;
		for (const [key, value] of writeMetadata(choice, (name) => model.getMetadata(name))) model.setMetadata(key, value);
		this.set({ saved: leavesOut(choice) ? 'bare' : 'whole' });
	}

	/** Shows the form with what the session has. */
	edit(): void {
		const { session } = this;
		const choice = session?.state === 'ready' ? choiceOf(session) : this.choice;
		this.moveFocus = true;
		this.set({ choice, editing: true, problem: null });
	}

	keep(): void {
		this.moveFocus = true;
		this.set({ editing: false, problem: null });
	}

	/** Connects with the choice; the agent ends a session that was made with another. */
	async connect(): Promise<void> {
		const { body, draft } = this;
		if (!body || draft.busy) return;
		this.moveFocus = true;
		await this.work('connect', async () => {
			this.store.tell(await this.store.api.connect(body));
			draft.editing = false;
		});
	}

	/** Gives up a start, or ends the session. */
	async release(): Promise<void> {
		const { session, draft } = this;
		if (!session || draft.busy) return;
		this.moveFocus = true;
		await this.work('release', async () => {
			await this.store.api.release(session.id);
			await this.store.refresh();
		});
	}

	private get panel(): NotebookPanel | null {
		return this.tracker.currentWidget;
	}

	private async work(busy: 'connect' | 'release', what: () => Promise<void>): Promise<void> {
		const { draft } = this;
		draft.busy = busy;
		draft.problem = null;
		this.emit();
		try {
			await what();
		} catch (error) {
			draft.problem = (error as Error).message;
		}
		draft.busy = null;
		this.emit();
	}

	private set(part: Partial<Draft>): void {
		Object.assign(this.draft, part);
		this.emit();
	}

	private follow(): void {
		const { panel } = this;
		if (panel !== this.followed) {
			this.followed?.sessionContext.kernelChanged.disconnect(this.emit, this);
			panel?.sessionContext.kernelChanged.connect(this.emit, this);
			void panel?.context.ready.then(() => this.emit());
			this.followed = panel;
		}
		this.emit();
	}

	private emit(): void {
		this.signal.emit();
	}
}
