// The tables of a cell's jobs and stages, as they stand below its bar when it is unfolded.
import * as React from 'react';
import { between } from './format.ts';
import type { CellRun, Job, Stage } from './shapes.ts';
import { progress, wanted } from './state.ts';
import { words } from './words.ts';

const { columns } = words.monitor;
const ROWS_SHOWN = 100;

const sizeOf = (bytes: number | null): string => (bytes ? words.size(bytes) : '');

function Table(props: { title: string; heads: string[]; rows: React.ReactElement[]; all: number }): React.ReactElement | null {
	if (props.rows.length === 0) return null;
	return (
		<div className="cyg-scroll" role="region" aria-label={props.title} tabIndex={0}>
			<table>
				<caption>{props.title}</caption>
				<thead><tr>{props.heads.map((head) => <th key={head} scope="col">{head}</th>)}</tr></thead>
				<tbody>{props.rows}</tbody>
			</table>
			{props.all > props.rows.length && <p>{words.monitor.more(props.all - props.rows.length)}</p>}
		</div>
	);
}

function JobRow({ job }: { job: Job }): React.ReactElement {
	const ms = between(job.started, job.ended);
	return (
		<tr data-state={job.state.toLowerCase()}>
			<th scope="row">{job.id}</th>
			<td className="cyg-name" title={job.name ?? undefined}>{job.name}{job.failure && <div className="cyg-cause">{job.failure}</div>}</td>
			<td>{words.monitor.spark(job.state)}</td>
			<td>{job.stage_ids.length}</td>
			<td>{ms === null ? '' : words.duration(ms)}</td>
		</tr>
	);
}

function StageRow({ stage }: { stage: Stage }): React.ReactElement {
	const total = wanted(stage.tasks);
	return (
		<tr data-state={stage.state.toLowerCase()}>
			<th scope="row">{stage.attempt > 0 ? `${stage.id}.${stage.attempt}` : stage.id}</th>
			<td className="cyg-name" title={stage.name ?? undefined}>{stage.name}</td>
			<td>{words.monitor.spark(stage.state)}</td>
			<td>
				<span className="cyg-bar cyg-inline" aria-hidden="true"><span style={{ width: `${total ? (100 * stage.tasks.done) / total : 0}%` }} /></span>
				{words.monitor.tasks(stage.tasks)}
			</td>
			<td>{sizeOf(stage.input)}</td>
			<td>{sizeOf(stage.output)}</td>
			<td>{words.monitor.shuffle(stage.shuffle_read, stage.shuffle_write)}</td>
			<td>{sizeOf(stage.spilled)}</td>
		</tr>
	);
}

/** Newest first: what goes on now is what one wants to see. */
const newest = <T extends { id: number }>(list: readonly T[]): T[] => [...list].sort((a, b) => b.id - a.id).slice(0, ROWS_SHOWN);

export function Tables({ run }: { run: CellRun }): React.ReactElement {
	const { jobs, stages } = words.monitor;
	const jobHeads = [columns.id, columns.name, columns.state, columns.stages, columns.time];
	const stageHeads = [columns.id, columns.name, columns.state, columns.tasks, columns.input, columns.output, columns.shuffle, columns.spilled];
	return (
		<>
			<Table title={jobs} heads={jobHeads} all={run.jobs.total} rows={newest(run.job_list).map((job) => <JobRow key={job.id} job={job} />)} />
			<Table title={stages} heads={stageHeads} all={run.stages.total}
				rows={newest(run.stage_list).map((stage) => <StageRow key={`${stage.id}.${stage.attempt}`} stage={stage} />)} />
		</>
	);
}

/** Stages that failed, with the first line of the cause: shown without unfolding. */
export function Failures({ run }: { run: CellRun }): React.ReactElement | null {
	const stages = run.stage_list.filter((one) => one.failure !== null);
	if (stages.length === 0 && run.failure === null) return null;
	return (
		<ul className="cyg-failures">
			{stages.map((one) => (
				<li key={`${one.id}.${one.attempt}`}><b>{words.monitor.failedStage(one.id, one.name)}</b> <code>{one.failure}</code></li>
			))}
			{stages.length === 0 && <li><code>{run.failure}</code></li>}
		</ul>
	);
}

export function Bar({ run }: { run: CellRun }): React.ReactElement {
	const part = progress(run);
	const active = run.tasks.total > 0 ? run.tasks.active / run.tasks.total : 0;
	return (
		<div className="cyg-bar" role="progressbar" aria-label={words.monitor.progress} aria-valuemin={0} aria-valuemax={100}
			aria-valuenow={Math.round(part * 100)} data-state={run.state}>
			<span style={{ width: `${part * 100}%` }} />
			{run.state === 'running' && <span className="cyg-active" style={{ width: `${Math.min(1 - part, active) * 100}%` }} />}
		</div>
	);
}
