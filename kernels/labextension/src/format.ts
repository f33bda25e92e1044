// Durations, sizes and times as users read them. The space before a unit never breaks.
const NBSP = '\u00a0';

/** Milliseconds: '< 0.1 s', '0.4 s', '14 s', '2 min 05 s', '1 h 03 min'. */
export function duration(ms: number): string {
	const s = Math.max(0, ms) / 1000;
	if (s < 0.05) return `<${NBSP}0.1${NBSP}s`;
	if (s < 9.95) return `${s.toFixed(1)}${NBSP}s`;
	const whole = Math.round(s);
	if (whole < 60) return `${whole}${NBSP}s`;
	if (whole < 3600) return `${Math.floor(whole / 60)}${NBSP}min ${two(whole % 60)}${NBSP}s`;
	const minutes = Math.round(whole / 60);
	return `${Math.floor(minutes / 60)}${NBSP}h ${two(minutes % 60)}${NBSP}min`;
}

const two = (n: number): string => String(n).padStart(2, '0');

/** Whole seconds while something runs, so that the last digit does not dance. */
export function running(ms: number): string {
	return ms < 10_000 ? `${Math.max(0, Math.floor(ms / 1000))}${NBSP}s` : duration(Math.floor(ms / 1000) * 1000);
}

/** Bytes: '512 MB', '4 GB', '1.5 GB' (powers of 1024, under their usual names). */
export function size(bytes: number): string {
	const units = ['B', 'KB', 'MB', 'GB', 'TB'];
	let at = 0;
	for (; bytes >= 1000 && at < units.length - 1; at++) bytes /= 1024;
	return `${bytes < 9.95 && at > 0 ? Number(bytes.toFixed(1)) : Math.round(bytes)}${NBSP}${units[at]}`;
}

/** '14:05' today, '23 Nov, 14:05' otherwise, in the reader's time zone; '' when nothing is known. */
export function time(iso: string | null, now: Date = new Date()): string {
	const at = new Date(iso ?? NaN);
	if (Number.isNaN(at.getTime())) return '';
	const day: Intl.DateTimeFormatOptions = at.toDateString() === now.toDateString() ? {} : { day: 'numeric', month: 'short' };
	return new Intl.DateTimeFormat('en-GB', { ...day, hour: '2-digit', minute: '2-digit' }).format(at);
}

/** Milliseconds between two times of the same clock; null when one is not known. */
export function between(from: string | null, to: string | null): number | null {
	const ms = new Date(to ?? NaN).getTime() - new Date(from ?? NaN).getTime();
	return Number.isNaN(ms) ? null : Math.max(0, ms);
}

export function count(n: number, one: string, many: string): string {
	return `${n.toLocaleString('en-GB')}${NBSP}${n === 1 ? one : many}`;
}
