// Small pieces that several views of the panel share.
import * as React from 'react';
import { words } from './words.ts';

/** The heading of a view, where the focus goes when a button has changed the view. */
export function Title({ children }: { children: React.ReactNode }): React.ReactElement {
	return <h2 tabIndex={-1} className="cyg-title">{children}</h2>;
}

export function Button(props: { children: React.ReactNode; onClick: () => void; primary?: boolean; busy?: boolean; hint?: string }): React.ReactElement {
	return (
		<button type="button" className={props.primary ? 'cyg-button cyg-primary' : 'cyg-button'} aria-disabled={props.busy ?? false}
			title={props.hint} onClick={() => props.busy || props.onClick()}>
			{props.children}
		</button>
	);
}

/** Names with values, one line each. */
export function Facts({ facts }: { facts: { label: string; value: React.ReactNode }[] }): React.ReactElement {
	return <dl className="cyg-facts">{facts.map((one) => <div key={one.label}><dt>{one.label}</dt><dd>{one.value}</dd></div>)}</dl>;
}

/** Puts a text on the clipboard and says that it did. */
export function Copy({ text }: { text: () => string }): React.ReactElement {
	const [said, say] = React.useState('');
	const copy = async (): Promise<void> => {
		try {
			await navigator.clipboard.writeText(text());
			say(words.copied);
		} catch {
			say(words.notCopied);
		}
	};
	return <><Button onClick={() => void copy()}>{words.copyReport}</Button><span role="status" className="cyg-said">{said}</span></>;
}
