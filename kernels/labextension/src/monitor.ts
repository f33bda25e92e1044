// Puts a monitor below each code cell that used Spark, in every open notebook, and keeps it true.
import type { Cell, ICodeCellModel } from '@jupyterlab/cells';
import { NotebookActions, type INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { PanelLayout } from '@lumino/widgets';
import * as React from 'react';
import { Monitor } from './monitor_view.tsx';
import { appOf, cellsOf, elapsed, isShown, SHOWN_AFTER_MS, type Heard } from './state.ts';
import type { Store } from './store.ts';

/** How often the seconds of a run are counted on. */
const TICK_MS = 1000;

class MonitorWidget extends ReactWidget {
	/** What the user chose; null: open when something failed. A new run starts anew. */
	private open: boolean | null = null;
	private cancelling = false;
	private problem: string | null = null;
	private heard: Heard;
	private readonly store: Store;

	constructor(store: Store, heard: Heard) {
		super();
		this.store = store;
		this.heard = heard;
		this.addClass('cyg-monitor-widget');
	}

	show_run(heard: Heard): void {
		if (heard.run.msg !== this.heard.run.msg) this.open = null;
		if (heard.run.msg !== this.heard.run.msg || heard.run.state !== 'running') {
			this.cancelling = false;
			this.problem = null;
		}
		this.heard = heard;
		this.update();
	}

	protected override render(): React.ReactElement {
		const { heard } = this;
		const open = this.open ?? heard.run.state === 'failed';
		return React.createElement(Monitor, {
			heard, open, now: performance.now(), cancelling: this.cancelling, problem: this.problem,
			ui: this.store.api.uiOf(appOf(this.store.state, heard.app)?.ui ?? null),
			toggle: () => {
				this.open = !open;
				this.update();
			},
			cancel: () => void this.cancel(),
		});
	}

	private async cancel(): Promise<void> {
		if (this.cancelling) return;
		this.cancelling = true;
		this.problem = null;
		this.update();
		try {
			await this.store.api.cancel(this.heard.app, this.heard.run.cell);
		} catch (error) {
			this.problem = (error as Error).message;
			this.cancelling = false;
			this.update();
		}
	}
}

/** The monitors of one notebook. */
class Notebook {
	private readonly widgets = new Map<string, MonitorWidget>();
	/** Runs that ended before the cell was run again: what the cell does now is not theirs. */
	private readonly past = new Map<string, string | null>();
	private queued = false;
	private wake: ReturnType<typeof setTimeout> | null = null;
	private readonly store: Store;
	private readonly panel: NotebookPanel;

	constructor(store: Store, panel: NotebookPanel) {
		this.store = store;
		this.panel = panel;
		store.changed.connect(this.later, this);
		panel.sessionContext.kernelChanged.connect(this.later, this);
		panel.content.modelContentChanged.connect(this.later, this);
		panel.disposed.connect(() => store.changed.disconnect(this.later, this));
		this.later();
	}

	/** The cell is run again. */
	ranAgain(id: string): void {
		const before = cellsOf(this.store.state, this.kernel()).get(id);
		if (!before || before.run.state === 'running') return;
		this.past.set(id, before.run.msg);
		this.later();
	}

	/** Counts the seconds of what runs on. */
	tick(): void {
		if (this.panel.isVisible && [...cellsOf(this.store.state, this.kernel()).values()].some((one) => one.run.state === 'running')) this.later();
	}

	private kernel(): string | null {
		return this.panel.sessionContext.session?.kernel?.id ?? null;
	}

	private later(): void {
		if (this.queued) return;
		this.queued = true;
		// Not requestAnimationFrame: a notebook in a window behind others must be true when it comes forward.
		setTimeout(() => {
			this.queued = false;
			if (!this.panel.isDisposed) this.sync();
		}, 50);
	}

	private wakeIn(ms: number): void {
		this.wake ??= setTimeout(() => {
			this.wake = null;
			this.later();
		}, ms);
	}

	private sync(): void {
		const now = performance.now();
		const runs = cellsOf(this.store.state, this.kernel());
		for (const [id, one] of runs) {
			if (this.past.get(id) === one.run.msg && one.run.state !== 'running') runs.delete(id);
			else if (!isShown(one, now)) {
				runs.delete(id);
				if (one.run.state === 'running') this.wakeIn(SHOWN_AFTER_MS - elapsed(one, now));
			}
		}
		for (const [id, widget] of this.widgets) {
			if (runs.has(id) && !widget.isDisposed) continue;
			widget.dispose();
			this.widgets.delete(id);
		}
		for (const cell of this.panel.content.widgets) {
			const heard = runs.get(cell.model.id);
			if (heard && cell.model.type === 'code') this.put(cell, heard);
		}
	}

	private put(cell: Cell, heard: Heard): void {
		const widget = this.widgets.get(cell.model.id);
		if (widget) {
			widget.show_run(heard);
			return;
		}
		// A cell far from what is shown has no parts yet; it is looked at again when it has.
		if (cell.isPlaceholder()) {
			void cell.ready.then(() => this.later());
			return;
		}
		const made = new MonitorWidget(this.store, heard);
		const layout = cell.layout as PanelLayout;
		layout.insertWidget(layout.widgets.length - 1, made); // before the footer
		this.widgets.set(cell.model.id, made);
	}
}

export function watchNotebooks(tracker: INotebookTracker, store: Store): void {
	const all = new Map<NotebookPanel, Notebook>();
	const add = (panel: NotebookPanel): void => {
		all.set(panel, new Notebook(store, panel));
		panel.disposed.connect(() => all.delete(panel));
	};
	tracker.forEach(add);
	tracker.widgetAdded.connect((_, panel) => add(panel));
	NotebookActions.executionScheduled.connect((_, { notebook, cell }) => {
		for (const [panel, one] of all) if (panel.content === notebook) one.ranAgain((cell.model as ICodeCellModel).id);
	});
	setInterval(() => {
		for (const one of all.values()) one.tick();
	}, TICK_MS);
}
