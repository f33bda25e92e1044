// The item of the status bar: the cluster of the notebook in front and a dot; a click shows the panel.
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';
import { useSignal } from './hooks.ts';
import type { PanelModel } from './model.ts';
import { words } from './words.ts';

const { status } = words;

function Item({ model, open }: { model: PanelModel; open: () => void }): React.ReactElement {
	useSignal(model.changed);
	const { session } = model;
	const state = session ? words.state[session.state] : status.none;
	const cluster = session ? session.label ?? session.cluster : null;
	return (
		<button type="button" className="cyg-status" title={status.hint} aria-label={status.label(cluster, state)} onClick={open}>
			<span className="cyg-dot" data-state={session?.state ?? 'gone'} aria-hidden="true" />
			{cluster ?? words.title}
		</button>
	);
}

export class StatusItem extends ReactWidget {
	private readonly model: PanelModel;
	private readonly open: () => void;

	constructor(model: PanelModel, open: () => void) {
		super();
		this.model = model;
		this.open = open;
		this.addClass('cyg-status-item');
	}

	protected override render(): React.ReactElement {
		return <Item model={this.model} open={this.open} />;
	}
}
