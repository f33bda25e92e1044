// Tells the agent what open notebooks keep of a choice, so that the first `spark` of a kernel counts it without the panel.
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { connectBody, readMetadata, settle } from './choice.ts';
import type { ConnectBody } from './shapes.ts';
import type { Store } from './store.ts';

/** What to tell for a notebook, or null: it keeps nothing, or has no kernel, or what fits is not known yet. */
function bodyOf(panel: NotebookPanel, store: Store): ConnectBody | null {
	const kernel = panel.sessionContext.session?.kernel?.id;
	const { model } = panel;
	if (kernel === undefined || !model || store.catalogue === null) return null;
	const kept = readMetadata((key) => model.getMetadata(key));
	return kept === null ? null : connectBody(settle(kept, store.catalogue), kept, store.catalogue, kernel);
}

/** Tells it once for each kernel and each change; what could not be told is told with the next change. */
function follow(panel: NotebookPanel, store: Store): void {
	let told = '';
	const tell = (): void => {
		const body = panel.isDisposed ? null : bodyOf(panel, store);
		const text = body === null ? '' : JSON.stringify(body);
		if (body === null || text === told) return;
		told = text;
		store.api.keep(body).catch(() => {
			told = '';
		});
	};
	void panel.context.ready.then(() => {
		panel.model?.metadataChanged.connect(tell);
		tell();
	});
	panel.sessionContext.kernelChanged.connect(tell);
	store.changed.connect(tell);
	panel.disposed.connect(() => store.changed.disconnect(tell));
}

export function tellChoices(tracker: INotebookTracker, store: Store): void {
	tracker.forEach((panel) => follow(panel, store));
	tracker.widgetAdded.connect((_, panel) => follow(panel, store));
}
