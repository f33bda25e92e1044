// A small plot of a cell's tasks and executors over time: two step lines on one time axis, each on a scale of its own.
import * as React from 'react';
import type { Point } from './shapes.ts';
import { words } from './words.ts';

const WIDTH = 600;
const HEIGHT = 60;

/** The corners of a step line, as SVG wants them; exported for its test. */
export function steps(points: readonly Point[], index: 1 | 2, top: number, end: number): string {
	const x = (ms: number): string => ((ms / Math.max(1, end)) * WIDTH).toFixed(1);
	const y = (value: number): string => (HEIGHT - 1 - (value / Math.max(1, top)) * (HEIGHT - 4)).toFixed(1);
	const line: string[] = [];
	points.forEach((point, at) => {
		const before = points[at - 1];
		if (before) line.push(`${x(point[0])},${y(before[index])}`);
		line.push(`${x(point[0])},${y(point[index])}`);
	});
	return line.join(' ');
}

const most = (points: readonly Point[], index: 1 | 2): number => points.reduce((top, point) => Math.max(top, point[index]), 0);

export function Plot({ points, small }: { points: readonly Point[]; small?: boolean }): React.ReactElement | null {
	if (points.length < 2) return null;
	const end = points.at(-1)![0];
	const [tasks, executors] = [most(points, 1), most(points, 2)];
	const area = steps(points, 1, tasks, end);
	const start = ((points[0]![0] / Math.max(1, end)) * WIDTH).toFixed(1);
	return (
		<svg className={small ? 'cyg-plot cyg-small' : 'cyg-plot'} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none"
			role="img" aria-label={words.monitor.plot(tasks, executors)}>
			<polygon className="cyg-tasks" points={`${start},${HEIGHT} ${area} ${WIDTH},${HEIGHT}`} />
			<polyline className="cyg-executors" points={steps(points, 2, executors, end)} vectorEffect="non-scaling-stroke" />
		</svg>
	);
}

export function Legend({ points }: { points: readonly Point[] }): React.ReactElement | null {
	if (points.length < 2) return null;
	const { legend, plotTasks } = words.monitor;
	return (
		<p className="cyg-legend" aria-hidden="true">
			<span className="cyg-tasks">{legend.tasks}: {plotTasks(most(points, 1))}</span>
			<span className="cyg-executors">{legend.executors}: {plotTasks(most(points, 2))}</span>
		</p>
	);
}
