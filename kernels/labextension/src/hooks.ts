// Hooks that the views share.
import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

/** Draws again whenever the signal comes. */
export function useSignal(signal: ISignal<unknown, unknown>): void {
	const [, draw] = React.useReducer((n: number) => n + 1, 0);
	React.useEffect(() => {
		const slot = (): void => draw();
		signal.connect(slot);
		draw(); // what came between the first drawing and now
		return () => void signal.disconnect(slot);
	}, [signal]);
}

/** The window's clock, which ticks each second while `on`. */
export function useNow(on: boolean): number {
	const [now, set] = React.useState(() => performance.now());
	React.useEffect(() => {
		if (!on) return undefined;
		set(performance.now());
		const timer = setInterval(() => set(performance.now()), 1000);
		return () => clearInterval(timer);
	}, [on]);
	return now;
}
