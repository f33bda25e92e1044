// The editor of options: rows of name and value, names completed from what the deployed Spark knows.
import * as React from 'react';
import { complete, twice, type Row } from './choice.ts';
import type { PanelModel } from './model.ts';
import { Button } from './parts.tsx';
import type { KnownOption, Lint } from './shapes.ts';
import { words } from './words.ts';

const { options: said } = words;

/** A text field with a list of names below it, by the combobox pattern of WAI-ARIA 1.2. */
function NameField(props: { value: string; known: readonly KnownOption[]; focus: boolean; change: (name: string) => void }): React.ReactElement {
	const [open, setOpen] = React.useState(false);
	const [at, setAt] = React.useState(-1);
	const id = React.useId();
	const found = open ? complete(props.known, props.value) : [];
	const shown = found.length > 0 && !(found.length === 1 && found[0]!.name === props.value);
	const pick = (name: string): void => {
		props.change(name);
		setOpen(false);
		setAt(-1);
	};
	const onKeyDown = (event: React.KeyboardEvent): void => {
		const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
		if (step !== 0) {
			event.preventDefault();
			setOpen(true);
			setAt((before) => (found.length === 0 ? 0 : (before + step + found.length) % found.length));
		} else if (event.key === 'Enter' && shown && found[at]) {
			event.preventDefault();
			pick(found[at].name);
		} else if (event.key === 'Escape' && open) {
			event.stopPropagation();
			setOpen(false);
		}
	};
	const list = React.useRef<HTMLUListElement>(null);
	React.useEffect(() => {
		// Not as an expression: some browsers return a promise here, which React would take for the effect's end.
		list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
	}, [at]);
	return (
		<div className="cyg-combo">
			<input className="cyg-field" role="combobox" aria-label={said.name} aria-expanded={shown} aria-controls={id} aria-autocomplete="list"
				aria-activedescendant={shown && at >= 0 ? `${id}-${at}` : undefined} placeholder={said.name} value={props.value} autoFocus={props.focus}
				spellCheck={false} autoComplete="off" onKeyDown={onKeyDown} onBlur={() => setOpen(false)} onFocus={() => setOpen(props.value === '')}
				onChange={(event) => {
					props.change(event.target.value);
					setOpen(true);
					setAt(-1);
				}} />
			<ul id={id} ref={list} role="listbox" aria-label={said.name} hidden={!shown}>
				{found.map((one, index) => (
					// The button of the pointer must not take the focus out of the field before the click comes.
					<li key={one.name} id={`${id}-${index}`} role="option" aria-selected={index === at} onMouseDown={(event) => event.preventDefault()}
						onClick={() => pick(one.name)}>
						<b>{one.name}</b>
						<span>{words.list([one.category, one.default === null || one.default === '' ? said.noDefault : said.default(one.default)])}</span>
					</li>
				))}
			</ul>
			<span className="cyg-unseen" role="status">{shown ? said.found(found.length) : ''}</span>
		</div>
	);
}

function Doc({ option }: { option: KnownOption }): React.ReactElement {
	const facts = words.list([
		option.category, option.type, option.default === null || option.default === '' ? said.noDefault : said.default(option.default),
		option.since !== null && said.since(option.since),
	]);
	return <p className="cyg-small-text">{facts}{option.doc && <span className="cyg-doc">{option.doc}</span>}</p>;
}

function OptionRow(props: {
	row: Row; known: readonly KnownOption[]; lint: readonly Lint[]; fresh: boolean; change: (row: Row) => void; remove: () => void;
}): React.ReactElement {
	const { row } = props;
	const option = props.known.find((one) => one.name === row.name);
	return (
		<li className="cyg-option">
			<input type="checkbox" aria-label={said.enabled(row.name)} title={said.enabled(row.name)} checked={row.enabled}
				onChange={() => props.change({ ...row, enabled: !row.enabled })} />
			<NameField value={row.name} known={props.known} focus={props.fresh} change={(name) => props.change({ ...row, name })} />
			<button type="button" className="cyg-remove" aria-label={said.remove(row.name)} title={said.remove(row.name)} onClick={props.remove}>×</button>
			<input className="cyg-field cyg-value" aria-label={said.value(row.name)} spellCheck={false} autoComplete="off" value={row.value}
				placeholder={option?.default ?? said.value('')} onChange={(event) => props.change({ ...row, value: event.target.value })} />
			{option && <Doc option={option} />}
			{props.lint.map((one) => <LintLine key={one.text} lint={one} use={(name) => props.change({ ...row, name })} />)}
		</li>
	);
}

export function LintLine({ lint, use }: { lint: Lint; use: (name: string) => void }): React.ReactElement {
	return (
		<p className={`cyg-notice cyg-${lint.level}`}>
			<b>{said[lint.level]}:</b> {lint.text}{' '}
			{lint.nearest !== null && <Button onClick={() => use(lint.nearest!)}>{said.use(lint.nearest)}</Button>}
		</p>
	);
}

export function Options({ model, lint }: { model: PanelModel; lint: readonly Lint[] }): React.ReactElement {
	const { options } = model.choice;
	const known = model.store.catalogue!.options;
	const [fresh, setFresh] = React.useState(false);
	const set = (index: number, row: Row | null): void =>
		model.change({ options: options.flatMap((one, at) => (at !== index ? [one] : row === null ? [] : [row])) });
	const add = (): void => {
		setFresh(true);
		model.change({ options: [...options, { name: '', value: '', enabled: true }] });
	};
	return (
		<details open={options.length > 0 || undefined}>
			<summary>{said.title(options.length)}</summary>
			<ul className="cyg-options">
				{options.map((row, index) => (
					<OptionRow key={index} row={row} known={known} fresh={fresh && index === options.length - 1}
						lint={row.enabled ? lint.filter((one) => one.name === row.name) : []} change={(next) => set(index, next)} remove={() => set(index, null)} />
				))}
			</ul>
			{twice(model.choice).map((name) => <p key={name} className="cyg-notice cyg-warning">{said.twice(name)}</p>)}
			<Button onClick={add}>{said.add}</Button>
		</details>
	);
}
