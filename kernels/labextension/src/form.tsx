// The form that chooses a cluster, bundles and options, and says what will be set.
import * as React from 'react';
import { bundleFits, clusterOf } from './choice.ts';
import type { PanelModel } from './model.ts';
import { Options } from './options.tsx';
import { Button, Title } from './parts.tsx';
import { Lints, PreviewTable, usePreview } from './preview.tsx';
import { Save } from './session.tsx';
import type { Bundle, Cluster } from './shapes.ts';
import { words } from './words.ts';

type Props = { model: PanelModel };

const { panel } = words;
/** More bundles than this get a field that filters them. */
const FILTER_FROM = 6;

function Card({ cluster, chosen, choose }: { cluster: Cluster; chosen: boolean; choose: () => void }): React.ReactElement {
	return (
		<label className="cyg-card" data-chosen={chosen} data-usable={cluster.usable}>
			<input type="radio" name="cygnet-cluster" checked={chosen} disabled={!cluster.usable} onChange={choose} />
			<span><b>{cluster.label}</b>{cluster.description && <span className="cyg-small-text">{cluster.description}</span>}
				<span className="cyg-inline-facts">
					{cluster.facts.map((fact) => <span key={fact.label}>{fact.label} <b>{fact.value}</b></span>)}
				</span>
				{!cluster.usable && <span className="cyg-small-text">{cluster.reason ?? panel.unusable}</span>}
			</span>
		</label>
	);
}

function Clusters({ model }: Props): React.ReactElement {
	const { clusters } = model.store.catalogue!;
	return (
		<fieldset>
			<legend>{panel.clusters}</legend>
			{clusters.map((one) => (
				<Card key={one.id} cluster={one} chosen={one.id === model.choice.cluster} choose={() => model.change({ cluster: one.id })} />
			))}
		</fieldset>
	);
}

/** Only where the cluster offers more than one. */
function Flavours({ model }: Props): React.ReactElement | null {
	const flavours = clusterOf(model.store.catalogue!, model.choice)?.flavours ?? [];
	if (flavours.length < 2) return null;
	const chosen = model.choice.flavour ?? flavours[0];
	return (
		<fieldset>
			<legend>{panel.flavour}</legend>
			{flavours.map((one) => (
				<label key={one} className="cyg-tick">
					<input type="radio" name="cygnet-flavour" checked={one === chosen} onChange={() => model.change({ flavour: one })} />
					<span>{panel.flavours[one] ?? one}</span>
				</label>
			))}
		</fieldset>
	);
}

function Tick({ bundle, model }: { bundle: Bundle } & Props): React.ReactElement {
	const { bundles } = model.choice;
	const chosen = bundles.includes(bundle.name);
	const change = (): void => model.change({ bundles: chosen ? bundles.filter((one) => one !== bundle.name) : [...bundles, bundle.name] });
	return (
		<label className="cyg-tick" title={bundle.options.map((one) => `${one.name} = ${one.value}`).join('\n')}>
			<input type="checkbox" checked={chosen} onChange={change} />
			<span>{bundle.name}<span className="cyg-small-text">{bundle.description ?? panel.bundleCount(bundle.options.length)}</span></span>
		</label>
	);
}

function Bundles({ model }: Props): React.ReactElement | null {
	const [filter, setFilter] = React.useState('');
	const { bundles, version } = model.store.catalogue!;
	if (bundles.length === 0) return null;
	const fit = bundles.filter((one) => bundleFits(one, model.choice.cluster, version));
	const wanted = filter.trim().toLowerCase();
	const shown = fit.filter((one) => `${one.name} ${one.description ?? ''}`.toLowerCase().includes(wanted));
	return (
		<fieldset>
			<legend>{panel.bundles}</legend>
			{fit.length >= FILTER_FROM && (
				<input type="search" className="cyg-field" aria-label={panel.bundleFilter} placeholder={panel.bundleFilter} value={filter}
					onChange={(event) => setFilter(event.target.value)} />
			)}
			{shown.map((one) => <Tick key={one.name} bundle={one} model={model} />)}
			{fit.length > 0 && shown.length === 0 && <p className="cyg-small-text">{panel.noBundles}</p>}
			{fit.length < bundles.length && <p className="cyg-small-text">{panel.hiddenBundles(bundles.length - fit.length)}</p>}
		</fieldset>
	);
}

export function Form({ model }: Props): React.ReactElement {
	const { session, draft } = model;
	const live = session !== null && session.state === 'ready';
	const preview = usePreview(model);
	const busy = draft.busy === 'connect';
	return (
		<>
			<Title>{live ? words.connected.change : panel.none[0]}</Title>
			{!live && <p>{panel.none[1]}</p>}
			<Clusters model={model} />
			<Flavours model={model} />
			<Bundles model={model} />
			<Options model={model} lint={preview.value?.lint ?? []} />
			<Lints model={model} lint={preview.value?.lint ?? []} />
			<div className="cyg-actions cyg-main">
				<Button primary busy={busy} onClick={() => void model.connect()}>{busy ? panel.connecting : live ? panel.reconnect : panel.connect}</Button>
				{session !== null && <Button onClick={() => model.keep()}>{live ? panel.keep : words.cancel}</Button>}
			</div>
			<PreviewTable preview={preview} />
			<Save model={model} />
		</>
	);
}
