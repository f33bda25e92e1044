// Durations, sizes and times as a person reads them.

/** Milliseconds: '40 ms', '2.4 s', '35 s', '3 min', '2 h 05 min', '3 days'. */
export function duration(ms) {
  if (ms < 100) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 89.5) return `${Math.round(s)} s`;
  const min = Math.round(s / 60);
  if (min < 60) return `${min} min`;
  const hours = Math.floor(min / 60);
  if (hours < 48) return `${hours} h ${String(min % 60).padStart(2, '0')} min`;
  return `${Math.round(hours / 24)} days`;
}

/** Bytes: '512 MB', '4 GB', '1.5 GB' (powers of 1024, the names people use). */
export function size(bytes) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let at = 0;
  while (bytes >= 1000 && at < units.length - 1) {
    bytes /= 1024;
    at++;
  }
  const text = bytes < 9.95 && at > 2 ? bytes.toFixed(1).replace(/\.0$/, '') : String(Math.round(bytes));
  return `${text} ${units[at]}`;
}

/** '14:05' today, '23 Nov, 14:05' otherwise, in the reader's time zone. */
export function time(iso) {
  const at = new Date(iso);
  const clock = { hour: '2-digit', minute: '2-digit' };
  const today = at.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat('en-GB', today ? clock : { day: 'numeric', month: 'short', ...clock }).format(at);
}
