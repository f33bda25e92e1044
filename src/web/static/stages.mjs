// The stage list of a start and the one bar over it, computed from the usual times.
import { h, icon } from './dom.mjs';
import { duration } from './format.mjs';
import { technical } from './notice.mjs';
import { words } from './words.mjs';

export class Track {
  constructor(label) {
    this.fill = h('div');
    this.el = h('div', { class: 'track', role: 'progressbar', 'aria-label': label, 'aria-valuemin': '0', 'aria-valuemax': '100' }, this.fill);
    this.part = 0;
  }

  /** It never goes back. */
  set(part, text) {
    this.part = Math.max(this.part, Math.min(part, 1));
    const percent = Math.round(this.part * 100);
    this.fill.style.width = `${this.part * 100}%`;
    this.el.setAttribute('aria-valuenow', percent);
    if (text) this.el.setAttribute('aria-valuetext', text);
  }
}

/** A figure as a bar: label, text, part of 1 (or null for no bar). */
export function meter(label, text, part) {
  const fill = h('div');
  fill.style.width = `${Math.min(part ?? 0, 1) * 100}%`;
  return h('div', { class: 'meter' }, h('span', {}, label), h('span', {}, text),
    part === null ? null : h('div', { class: `track ${part > 0.9 ? 'bad' : ''}`, 'aria-hidden': 'true' }, fill));
}

export class StageList {
  constructor() {
    this.el = h('ol', { class: 'stages' });
    this.stages = new Map();
  }

  /** Takes one event's `cygnet` field; returns true if the stage's state is new. */
  update(event, now = performance.now()) {
    const old = this.stages.get(event.stage);
    const stage = { ...old, ...event, began: now - (event.ms ?? 0), row: old?.row ?? this.#row() };
    this.stages.set(event.stage, stage);
    if (old?.state !== stage.state || old?.label !== stage.label) this.#fill(stage);
    if (stage.lines?.length && (old?.lines?.length !== stage.lines.length || old?.state !== stage.state)) this.#lines(stage);
    this.tick(now);
    return old?.state !== stage.state;
  }

  #row() {
    const row = h('li');
    this.el.append(row);
    return row;
  }

  #fill(stage) {
    const time = h('span', { class: 'time small muted' });
    const old = stage.row.querySelector('.technical');
    stage.row.className = stage.state;
    stage.row.replaceChildren(h('div', { class: 'stage' }, icon(stage.state), h('span', { class: 'name' }, stage.label, h('span', { class: 'unseen' }, `: ${words.start.state[stage.state]}`)), time), ...(old ? [old] : []));
    stage.time = time;
  }

  #lines(stage) {
    const open = stage.state === 'failed' || stage.row.querySelector('details')?.open;
    stage.row.querySelector('.technical')?.remove();
    stage.row.append(technical(stage.lines, { open }));
  }

  elapsed(stage, now) {
    return stage.state === 'running' ? now - stage.began : (stage.ms ?? 0);
  }

  /** Refreshes the times that run. */
  tick(now = performance.now()) {
    for (const stage of this.stages.values()) {
      const spent = stage.state === 'running' ? Math.floor(this.elapsed(stage, now) / 1000) * 1000 : stage.ms;
      const usual = stage.usual_ms ? words.start.usual(stage.usual_ms) : '';
      const own = stage.state === 'waiting' || spent === null || spent === undefined || (stage.state === 'running' && spent < 1000) ? '' : duration(spent);
      const text = [own, usual].filter(Boolean).join(', ');
      if (stage.time.textContent !== text) stage.time.textContent = text;
    }
  }

  get current() {
    const all = [...this.stages.values()];
    return all.find((s) => s.state === 'failed') ?? all.findLast((s) => s.state === 'running') ?? null;
  }

  /** {part, left}: how much of the usual time is done, and what is left; nulls if no usual time is known. */
  progress(now = performance.now()) {
    let total = 0, done = 0;
    for (const stage of this.stages.values()) {
      const usual = stage.usual_ms ?? 0;
      total += usual;
      if (stage.state === 'done') done += usual;
      else if (stage.state === 'running') done += Math.min(this.elapsed(stage, now), usual * 0.95);
    }
    return total === 0 ? { part: null, left: null } : { part: done / total, left: total - done };
  }

  /** Is the running stage far beyond its usual time? */
  isLate(now = performance.now()) {
    const stage = this.current;
    return stage?.state === 'running' && this.elapsed(stage, now) > Math.max(10000, 3 * (stage.usual_ms ?? 20000));
  }

  /** For the report. */
  lines() {
    return [...this.stages.values()].map((s) => `${s.state.padEnd(8)}${s.state === 'waiting' ? '' : duration(s.ms ?? 0).padStart(7)}${s.usual_ms ? ` (${words.start.usual(s.usual_ms)})` : ''}  ${s.label}`);
  }
}
