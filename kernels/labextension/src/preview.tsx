// "What will be set": asked of the agent a moment after the choice has changed, nothing is started for it.
import * as React from 'react';
import type { PanelModel } from './model.ts';
import { LintLine } from './options.tsx';
import type { Lint, Preview, Property } from './shapes.ts';
import { words } from './words.ts';

const { preview: said } = words;
/** Typing is over when this has passed. */
const SETTLED_MS = 400;

export interface Previewed {
	value: Preview | null;
	problem: string | null;
}

export function usePreview(model: PanelModel): Previewed {
	const [preview, set] = React.useState<Previewed>({ value: null, problem: null });
	const body = JSON.stringify(model.body);
	React.useEffect(() => {
		const ask = new AbortController();
		const timer = setTimeout(() => {
			if (body === 'null') return;
			model.store.api.preview(JSON.parse(body), ask.signal).then(
				(value) => set({ value, problem: null }),
				(error: Error) => ask.signal.aborted || set({ value: null, problem: error.message }),
			);
		}, SETTLED_MS);
		return () => {
			clearTimeout(timer);
			ask.abort();
		};
	}, [body]);
	return preview;
}

/** What is held against settings that are in no row of the form. */
export function Lints({ model, lint }: { model: PanelModel; lint: readonly Lint[] }): React.ReactElement | null {
	const own = new Set(model.choice.options.map((one) => one.name));
	const others = lint.filter((one) => !own.has(one.name));
	return others.length === 0 ? null : (
		<div>{others.map((one) => <LintLine key={one.name + one.text} lint={{ ...one, text: `${one.name}: ${one.text}`, nearest: null }} use={() => undefined} />)}</div>
	);
}

function Line({ property }: { property: Property }): React.ReactElement {
	return (
		<tr>
			<th scope="row">{property.name}</th>
			<td>{property.secret ? words.hidden : property.value ?? said.forbidden}</td>
			<td>{words.list([said.layer(property.layer), property.locked && said.locked])}</td>
			<td>{property.lost.map((one, at) => <div key={at}>{said.lost(one.value, one.layer, one.why)}</div>)}</td>
		</tr>
	);
}

export function PreviewTable({ preview }: { preview: Previewed }): React.ReactElement {
	const [search, setSearch] = React.useState('');
	const all = preview.value?.properties ?? [];
	const asked = search.trim().toLowerCase();
	const shown = all.filter((one) => `${one.name} ${one.secret ? '' : one.value} ${said.layer(one.layer)}`.toLowerCase().includes(asked));
	return (
		<details>
			<summary>{said.title}</summary>
			{preview.problem !== null && <p className="cyg-notice cyg-warning">{said.failed}: {preview.problem}</p>}
			<input type="search" className="cyg-field" aria-label={said.search} placeholder={said.search} value={search} onChange={(event) => setSearch(event.target.value)} />
			<p className="cyg-small-text" role="status">{all.length === 0 ? '' : shown.length === 0 ? said.nothing : said.shown(shown.length, all.length)}</p>
			<div className="cyg-scroll" role="region" aria-label={said.title} tabIndex={0}>
				<table>
					<thead><tr>{[said.setting, said.value, said.from, said.over].map((head) => <th key={head} scope="col">{head}</th>)}</tr></thead>
					<tbody>{shown.map((one) => <Line key={one.name} property={one} />)}</tbody>
				</table>
			</div>
		</details>
	);
}
