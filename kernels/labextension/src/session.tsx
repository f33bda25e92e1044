// The panel's views of a session: it starts, it is there, it has failed or ended.
import * as React from 'react';
import { report } from './choice.ts';
import { running } from './format.ts';
import { useNow } from './hooks.ts';
import type { PanelModel } from './model.ts';
import { Button, Copy, Facts, Title } from './parts.tsx';
import type { Session } from './shapes.ts';
import { appOf, STARTING, type StageTime } from './state.ts';
import { words } from './words.ts';

type Props = { model: PanelModel };

const labelOf = (session: Session): string => session.label ?? session.cluster;

function StageLine({ stage, at, time, now }: { stage: string; at: number; time: StageTime | undefined; now: number }): React.ReactElement {
	const { starting } = words;
	const [word, mark] = at > 0 ? [starting.done, '✓'] : at === 0 ? [starting.busy, '●'] : [starting.waiting, '○'];
	const took = time?.started == null ? null : (time.ended ?? now) - time.started;
	return (
		<li data-at={Math.sign(at)}>
			<span aria-hidden="true">{mark}</span>
			<span>{starting.stage[stage] ?? stage}<span className="cyg-unseen">, {word}</span></span>
			<span className="cyg-time">{took === null || at < 0 ? '' : at === 0 ? running(took) : words.duration(took)}</span>
		</li>
	);
}

export function Starting({ model }: Props): React.ReactElement | null {
	const now = useNow(true);
	const { session } = model;
	if (!session) return null;
	const times = model.store.state.starts.get(session.id) ?? [];
	const current = STARTING.indexOf(session.state);
	return (
		<>
			<Title>{words.starting.title(labelOf(session))}</Title>
			<ol className="cyg-stages">
				{STARTING.map((stage, index) => (
					<StageLine key={stage} stage={stage} at={current - index} now={now} time={times.find((one) => one.stage === stage)} />
				))}
			</ol>
			<p role="status" aria-live="polite">{session.text ?? words.starting.stage[session.state]}</p>
			<div className="cyg-actions"><Button busy={model.draft.busy !== null} onClick={() => void model.release()}>{words.cancel}</Button></div>
		</>
	);
}

/** What the user chose for this session, folded. */
function Chosen({ session }: { session: Session }): React.ReactElement | null {
	const facts = Object.entries(session.options).map(([label, value]) => ({ label, value: value ?? words.hidden }));
	const bundles = session.bundles.map((label) => ({ label, value: words.panel.bundles }));
	const all = [...bundles, ...facts];
	if (all.length === 0) return null;
	return <details><summary>{words.connected.chosen(all.length)}</summary><Facts facts={all} /></details>;
}

function Idle({ ends }: { ends: string }): React.ReactElement | null {
	useNow(true);
	const left = new Date(ends).getTime() - Date.now();
	return Number.isNaN(left) ? null : <p className="cyg-notice">{words.connected.idle(Math.max(0, left))}</p>;
}

export function Connected({ model }: Props): React.ReactElement | null {
	const { connected } = words;
	const { session } = model;
	if (!session) return null;
	const app = appOf(model.store.state, session.app);
	const executors = app?.executors;
	const ui = model.store.api.uiOf(app?.ui ?? null);
	const ending = session.state === 'ending' || model.draft.busy === 'release';
	return (
		<>
			<Title>{connected.title(labelOf(session))}</Title>
			<Facts facts={[
				{ label: connected.app, value: session.app ?? connected.unknown }, { label: connected.since, value: words.time(session.since) },
				{ label: connected.executors, value: executors ? connected.cores(executors.active, executors.cores, executors.memory_mb) : connected.unknown },
				{ label: connected.flavour, value: session.flavour },
			]} />
			{session.text && <p className="cyg-notice cyg-warning" role="status">{session.text}</p>}
			{session.idle_ends && <Idle ends={session.idle_ends} />}
			{session.ignored.length > 0 && <p className="cyg-notice">{connected.ignored(session.ignored)}</p>}
			<div className="cyg-actions">
				{ui && <a className="cyg-button cyg-primary" href={ui} target="_blank" rel="noopener" title={connected.uiNew}>{connected.ui}</a>}
				<Button onClick={() => model.edit()} busy={ending}>{connected.change}</Button>
				<Button onClick={() => void model.release()} busy={ending} hint={connected.releaseHint}>{ending ? connected.releasing : connected.release}</Button>
			</div>
			<Chosen session={session} />
			<Save model={model} />
		</>
	);
}

export function Save({ model }: Props): React.ReactElement {
	return (
		<div className="cyg-actions">
			<Button onClick={() => model.save()}>{words.connected.save}</Button>
			<span role="status" className="cyg-said">{model.draft.saved === null ? '' : words.connected.saved[model.draft.saved]}</span>
		</div>
	);
}

export function Failed({ model }: Props): React.ReactElement | null {
	const { failed } = words;
	const { session } = model;
	if (!session) return null;
	return (
		<>
			<Title>{failed.title[session.state]}</Title>
			<p className="cyg-notice cyg-error" role="alert">{session.cause ?? failed.noCause}</p>
			<p>{session.hint ?? failed.next}</p>
			<div className="cyg-actions">
				<Button primary onClick={() => model.edit()}>{failed.again}</Button>
				<Copy text={() => report(session)} />
			</div>
		</>
	);
}
