// The stages of a start, and bars.
import { fill, h, icon } from './dom.mjs';
import { duration } from './format.mjs';
import { technical } from './notice.mjs';
import { words } from './words.mjs';

export class Track {
	constructor(label, role = 'progressbar') {
		this.fill = h('div');
		this.el = h('div', { class: 'track', role, 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': 100 }, this.fill);
		this.part = 0;
	}

	/** `part` of 1; it never goes back. */
	set(part) {
		this.part = Math.max(this.part, part);
		this.fill.style.width = `${this.part * 100}%`;
		this.el.setAttribute('aria-valuenow', Math.round(this.part * 100));
	}
}

/** A figure with a bar: label, text, used of limit (or no bar without a limit). */
export function meter(label, text, used, limit) {
	const track = new Track(label, 'meter');
	track.set(limit ? Math.min(used / limit, 1) : 0);
	return h('div', { class: 'meter' }, h('span', {}, label), h('span', {}, text), limit && track.el);
}

const spent = (stage) => (stage.state === 'running' ? performance.now() - stage.began : (stage.ms ?? 0));

export class StageList {
	constructor() {
		this.el = h('ol', { class: 'stages' });
		this.stages = new Map();
	}

	/** Takes an event's `cygnet` field; is the stage's state new? */
	update(event) {
		const old = this.stages.get(event.stage);
		const stage = { lines: old?.lines, ...event, began: performance.now() - (event.ms ?? 0), row: old?.row ?? h('li'), time: h('span', { class: 'time small muted' }) };
		this.stages.set(event.stage, stage);
		if (!old) this.el.append(stage.row);
		const open = stage.state === 'failed' || stage.row.querySelector('details')?.open;
		stage.row.className = stage.state;
		fill(stage.row, icon(stage.state), h('span', { class: 'name' }, stage.label, h('span', { class: 'unseen' }, `: ${words.start.state[stage.state]}`)),
			stage.time, technical(stage.lines, open));
		this.tick();
		return old?.state !== stage.state;
	}

	/** Refreshes the times; the running one counts whole seconds. */
	tick() {
		for (const stage of this.stages.values()) {
			const ms = stage.state === 'running' ? Math.floor(spent(stage) / 1000) * 1000 : spent(stage);
			const own = stage.state === 'waiting' || (stage.state === 'running' && ms === 0) ? '' : duration(ms);
			stage.time.textContent = [own, stage.usual_ms && words.start.usual(stage.usual_ms)].filter(Boolean).join(', ');
		}
	}

	/** The stage that failed, or else the last that runs. */
	get current() {
		const all = [...this.stages.values()];
		return all.find((s) => s.state === 'failed') ?? all.findLast((s) => s.state === 'running');
	}

	/** The part done (null if no usual time is known) and the ms left (NaN while what runs has none). */
	progress() {
		let known = 0, total = 0, done = 0, left = 0;
		for (const stage of this.stages.values()) {
			const usual = stage.usual_ms, ms = spent(stage), over = stage.state === 'done';
			const weight = usual ?? (over ? ms : 2 * ms + 500);
			const part = over ? weight : Math.min(ms, weight * 0.95);
			known += usual;
			total += weight;
			done += part;
			left += usual ? usual - part : over || !ms ? 0 : NaN;
		}
		return { part: known ? done / total : null, left };
	}

	/** Is the running stage far beyond its usual time? */
	isLate() {
		const stage = this.current;
		return stage?.state === 'running' && spent(stage) > Math.max(10000, 3 * (stage.usual_ms ?? 20000));
	}

	/** For the report. */
	lines() {
		return [...this.stages.values()].map((s) => `${s.state} ${Math.round(spent(s))} ms (usual ${s.usual_ms ?? '?'}) ${s.label}`);
	}
}
