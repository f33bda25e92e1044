// The panel "Spark" beside the notebooks: one state, one sentence, one button.
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';
import { Form } from './form.tsx';
import { useSignal } from './hooks.ts';
import { starIcon } from './icons.ts';
import type { Kind, PanelModel } from './model.ts';
import { Title } from './parts.tsx';
import { Connected, Failed, Starting } from './session.tsx';
import { words } from './words.ts';

export class SparkPanel extends ReactWidget {
	private readonly model: PanelModel;

	constructor(model: PanelModel) {
		super();
		this.model = model;
		this.id = 'cygnet-spark-panel';
		this.title.icon = starIcon;
		this.title.caption = words.caption;
		this.addClass('cyg-panel');
	}

	protected override render(): React.ReactElement {
		return <View model={this.model} />;
	}
}

const VIEWS: Partial<Record<Kind, (props: { model: PanelModel }) => React.ReactElement | null>> = {
	form: Form, starting: Starting, connected: Connected, failed: Failed,
};

function sentences(kind: Kind): readonly string[] {
	const { panel } = words;
	switch (kind) {
		case 'checking': return [panel.checking];
		case 'noCatalogue': return [panel.noCatalogue];
		case 'unreachable': return [words.unreachable];
		case 'noNotebook': return panel.noNotebook;
		case 'noKernel': return panel.noKernel;
		default: return panel.noSpark;
	}
}

function Plain({ kind, problem }: { kind: Kind; problem: string | null }): React.ReactElement {
	const [title, text] = sentences(kind);
	return <><Title>{title}</Title><p>{text ?? problem}</p></>;
}

function View({ model }: { model: PanelModel }): React.ReactElement {
	useSignal(model.changed);
	const { kind } = model;
	const node = React.useRef<HTMLDivElement>(null);
	React.useEffect(() => {
		if (!model.moveFocus) return;
		model.moveFocus = false;
		node.current?.querySelector<HTMLElement>('.cyg-title')?.focus();
	}, [kind]);
	const Shown = VIEWS[kind];
	return (
		<div className="cyg-view" ref={node} role="region" aria-label={words.title} data-kind={kind}>
			{model.notebook !== null && <p className="cyg-of">{words.panel.notebook(model.notebook)}</p>}
			{Shown ? <Shown model={model} /> : <Plain kind={kind} problem={model.store.problem} />}
			{model.draft.problem && <p className="cyg-notice cyg-error" role="alert">{model.draft.problem}</p>}
		</div>
	);
}
