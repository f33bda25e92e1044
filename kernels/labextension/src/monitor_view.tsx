// What one cell's run in Spark looks like below the cell: bar, line, buttons; unfolded: plot and tables.
import * as React from 'react';
import { Legend, Plot } from './plot.tsx';
import { elapsed, type Heard } from './state.ts';
import { Bar, Failures, Tables } from './tables.tsx';
import { words } from './words.ts';

const { monitor } = words;

export interface MonitorProps {
	heard: Heard;
	/** The time on the window's clock that the line tells. */
	now: number;
	ui: string | null;
	open: boolean;
	cancelling: boolean;
	/** Why a cancel did not work, as a sentence. */
	problem: string | null;
	toggle: () => void;
	cancel: () => void;
}

export function Monitor(props: MonitorProps): React.ReactElement {
	const { run } = props.heard;
	const live = run.state === 'running';
	const table = React.useId();
	return (
		// Keys that are pressed in here are for what is in here, not for the notebook.
		<section className="cyg-monitor" aria-label={monitor.region} data-state={run.state} data-lm-suppress-shortcuts="true">
			<Bar run={run} />
			<div className="cyg-line">
				<button type="button" className="cyg-fold" aria-expanded={props.open} aria-controls={table}
					aria-label={props.open ? monitor.hide : monitor.show} title={props.open ? monitor.hide : monitor.show} onClick={props.toggle}>
					<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M5 3l6 5-6 5z" /></svg>
				</button>
				<span className="cyg-told">{monitor.line(run, elapsed(props.heard, props.now))}</span>
				{live && !props.open && <Plot points={run.plot} small />}
				<span className="cyg-unseen" role="status" aria-live="polite">{monitor.said(run)}</span>
				<span className="cyg-buttons">
					{live && (
						<button type="button" className="cyg-button" title={monitor.cancelHint} aria-disabled={props.cancelling} onClick={props.cancel}>
							{props.cancelling ? monitor.cancelling : words.cancel}
						</button>
					)}
					{props.ui && <a className="cyg-link" href={props.ui} target="_blank" rel="noopener">{monitor.ui}</a>}
				</span>
			</div>
			{props.problem && <p className="cyg-cause" role="alert">{props.problem}</p>}
			<div id={table} hidden={!props.open}>
				{props.open && (
					<>
						<Failures run={run} />
						<Plot points={run.plot} />
						<Legend points={run.plot} />
						<Tables run={run} />
					</>
				)}
			</div>
		</section>
	);
}
