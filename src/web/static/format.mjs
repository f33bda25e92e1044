// Durations, sizes and times as users read them. The space before a unit never breaks.

/** Milliseconds: '40 ms', '2.4 s', '35 s', '3 min', '2 h 05 min'. */
export function duration(ms) {
	const s = ms / 1000;
	if (s < 0.1) return `${Math.round(ms)}\u00a0ms`;
	if (s < 89.5) return `${s < 9.95 ? s.toFixed(1) : Math.round(s)}\u00a0s`;
	const min = Math.round(s / 60);
	if (min < 60) return `${min}\u00a0min`;
	return `${Math.floor(min / 60)}\u00a0h ${String(min % 60).padStart(2, '0')}\u00a0min`;
}

/** Bytes: '512 MB', '4 GB', '1.5 GB' (powers of 1024, under their usual names). */
export function size(bytes) {
	const units = ['B', 'KB', 'MB', 'GB', 'TB'];
	let at = 0;
	for (; bytes >= 1000 && at < 4; at++) bytes /= 1024;
	return `${bytes < 9.95 && at > 2 ? Number(bytes.toFixed(1)) : Math.round(bytes)}\u00a0${units[at]}`;
}

/** '14:05' today, '23 Nov, 14:05' otherwise, in the reader's time zone. */
export function time(iso) {
	const at = new Date(iso);
	const day = at.toDateString() === new Date().toDateString() ? {} : { day: 'numeric', month: 'short' };
	return new Intl.DateTimeFormat('en-GB', { ...day, hour: '2-digit', minute: '2-digit' }).format(at);
}
