/* One round, point by point: every answer is kept in this browser at once, with its time, and judged while it is typed. */
import { announce, fill, make, on } from './dom.js';
import { isJump, said, typed, unbalance, verdict } from './readings.js';
import { finish, flush, showKept } from './roundqueue.js';
import { Photos } from './roundphotos.js';
import { instant, keepOpen, me, mine, newKey } from './roundstore.js';
import { drawScale } from './roundscale.js';
import { signature } from './roundsign.js';

const TONES = { danger: 'late', warning: 'soon', normal: 'ok', recorded: 'plain', unmeasured: 'wait' };
const BY_VERDICT = { danger: 'critical', warning: 'high' };
const UNBALANCE = 'voltage_unbalance';
const TOO_UNEVEN = 3;
// What belongs to the session, and what stands for the round itself.
const BESIDE = new Set(['csrf_token', 'once']);
const TIMED = /^(value|reason|words|note)-/;

/** The name under which a sheet is kept: of one person, one version of a template, one place. */
export function sheetId(form) {
  const { template, site, location } = JSON.parse(form.dataset.round);
  return [me(), template, site, location].join('|');
}

const clock = (at) => new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }).format(at);

class Walk {
  constructor(form, round) {
    this.form = form;
    this.round = round;
    this.facts = JSON.parse(form.dataset.round);
    this.words = JSON.parse(form.dataset.texts);
    this.priorities = JSON.parse(form.dataset.priorities);
    this.points = [...form.querySelectorAll('[data-point]')].map((section) => ({ section, rule: JSON.parse(section.dataset.rule) }));
    this.last = form.querySelector('[data-screen=finish]');
    this.all = form.querySelector('[data-screen=all]');
    this.screens = [...this.points.map(({ section }) => section), this.last];
    this.photos = new Photos(round, this.facts, this.words);
    this.sign = signature(form.querySelector('[data-sign]'), (path) => this.signed(path));
  }

  field(name) {
    const found = this.form.elements.namedItem(name);
    return found instanceof RadioNodeList ? { value: found.value } : found;
  }

  collect() {
    const found = {};
    for (const [name, value] of new FormData(this.form)) if (!BESIDE.has(name) && value !== '') found[name] = value;
    for (const { rule: { code } } of this.points) {
      const { length } = this.photos.of(code);
      if (length) found[`photos-${code}`] = String(length);
    }
    return found;
  }

  /** Put what was kept back into the fields. */
  restore() {
    for (const field of this.form.elements) {
      if (!field.name || BESIDE.has(field.name)) continue;
      const kept = this.round.fields[field.name];
      if (field.matches('[type=radio], [type=checkbox]')) field.checked = kept === field.value;
      else field.value = kept ?? '';
    }
    this.sign(this.round.fields.signature ?? '');
    for (const { section } of this.points) {
      for (const part of section.querySelectorAll('[data-part]')) {
        const used = [...part.querySelectorAll('input, select, textarea')].some(({ value }) => value);
        this.unfold(section, part.dataset.part, used);
      }
    }
  }

  unfold(section, name, open) {
    section.querySelector(`[data-part=${name}]`).hidden = !open;
    section.querySelector(`[data-open=${name}]`).setAttribute('aria-expanded', String(open));
  }

  /** What the answer of a point is worth: its verdict, or what is wrong with it, or nothing yet. */
  judge({ rule }) {
    const { code } = rule;
    if (this.field(`reason-${code}`).value) return { verdict: 'unmeasured' };
    if (rule.kind === 'photo') return { verdict: this.photos.of(code).length ? 'recorded' : '', words: '' };
    const written = (this.field(`value-${code}`)?.value ?? '').trim();
    if (!written) return { verdict: '' };
    if (rule.kind === 'choice') return { verdict: rule.choices[written] ?? '', words: written };
    if (rule.kind !== 'number') return { verdict: 'recorded', words: written };
    const { value, fault } = typed(written);
    if (fault) return { verdict: '', fault: this.words[fault] };
    if (value < rule.least || value > rule.most) {
      return { verdict: '', fault: fill(this.words.between, { least: said(rule.least), most: said(rule.most) }) };
    }
    return { verdict: verdict(value, rule.limits), value, words: `${said(value)} ${rule.unit}`.trim(), jump: isJump(value, rule.last) };
  }

  change({ rule }, value) {
    if (rule.last === null) return '';
    const step = Number((value - rule.last).toPrecision(6));
    if (!step) return this.words.same;
    return fill(this.words[step > 0 ? 'higher' : 'lower'], { value: said(Math.abs(step)) });
  }

  /** Show what a point is worth, on its screen. */
  show(point) {
    const { section, rule } = point;
    const found = this.judge(point);
    const line = section.querySelector('[data-verdict]');
    const parts = [found.verdict && rule.kind !== 'text' ? this.words[found.verdict] : '', found.value === undefined ? '' : this.change(point, found.value)];
    const refused = this.round.errors?.[rule.code];
    const words = found.fault ?? (refused || parts.filter(Boolean).join(' · '));
    if (line.textContent !== words) line.textContent = words;
    const tone = found.fault || refused ? 'late' : TONES[found.verdict] ?? '';
    line.dataset.tone = tone;
    section.dataset.tone = tone;
    section.querySelector('.round-field input')?.setAttribute('aria-invalid', String(Boolean(found.fault)));
    const scale = section.querySelector('[data-scale]');
    if (scale) drawScale(scale, rule, found.value ?? null, tone, fill(this.words.last, { value: said(rule.last ?? 0) }));
    this.forget(section.querySelector('[data-ask]'), this.field(`sure-${rule.code}`), found);
    this.photos.show(section, rule.code, () => {
      this.show(point);
      this.keep();
    });
    this.showOrder(section, rule.code, found);
    return found;
  }

  /* An answer is for the value that was asked about; for another one the question is put again. */
  forget(asked, sure, found) {
    const value = String(found.value);
    if (!found.jump || (asked.dataset.value ?? value) !== value) {
      sure.checked = false;
      asked.hidden = true;
      delete asked.dataset.value;
    } else if (sure.checked || !asked.hidden) asked.dataset.value = value;
  }

  /* A dangerous value proposes its order; what a person chose stays as they chose it. */
  showOrder(section, code, found) {
    const box = this.field(`order-${code}`);
    if (!box) return;
    if (!this.round.chosen[code]) box.checked = found.verdict === 'danger';
    section.querySelector('[data-order]').hidden = !(found.verdict in BY_VERDICT) && !box.checked;
    section.querySelector('[data-order-words]').textContent = this.withPhotos(code, this.priority(code, found));
    this.field(`priority-${code}`).hidden = !box.checked;
  }

  priority(code, found) {
    return this.priorities[this.field(`priority-${code}`)?.value || BY_VERDICT[found.verdict] || 'medium'];
  }

  /** Add to words how many photos a point has. */
  withPhotos(code, words) {
    const { length } = this.photos.of(code);
    return length ? `${words} · ${fill(this.words.photos, { count: length })}` : words;
  }

  async keep(name) {
    const { round } = this;
    const code = name?.replace(TIMED, '');
    if (name && TIMED.test(name)) {
      round.times[code] = instant().toISOString();
      if (round.errors) delete round.errors[code];
    }
    round.fields = this.collect();
    round.answered = this.points.filter((point) => this.judge(point).verdict).length;
    try {
      this.kept = await keepOpen({ ...round });
      if (this.kept) this.said(clock(new Date()));
      else this.form.querySelector('[data-kept]').textContent = this.words.elsewhere;
    } catch {
      this.form.querySelector('[data-kept]').textContent = this.words.not_kept;
    }
  }

  said(time) {
    const line = this.form.querySelector('[data-kept]');
    line.toggleAttribute('data-away', !navigator.onLine);
    line.textContent = time ? fill(this.words[navigator.onLine ? 'kept' : 'kept_offline'], { time }) : '';
  }

  signed(path) {
    this.field('signature').value = path;
    this.field('signed').checked = Boolean(path);
    this.keep();
  }

  /** Show a screen: a point, the end, or all points at once. */
  go(place, focus = true) {
    const screen = place === 'all' ? this.all : this.screens[place];
    for (const one of [...this.screens, this.all]) one.hidden = one !== screen;
    if (place !== 'all') this.round.place = place;
    const atEnd = screen === this.last;
    if (atEnd) this.showEnd();
    if (screen === this.all) this.showAll();
    const words = { place: Math.min(this.round.place + 1, this.points.length), count: this.points.length };
    this.form.querySelector('[data-place]').textContent = `${words.place} / ${words.count}`;
    this.form.querySelector('[data-title]').textContent = atEnd ? screen.querySelector('h2').textContent : this.facts.title;
    this.form.querySelector('.round-foot').hidden = atEnd || screen === this.all;
    const next = this.points[this.round.place + 1];
    this.form.querySelector('[data-next]').textContent = next ? fill(this.words.next, { name: next.rule.name }) : this.words.check;
    this.form.querySelector('[data-back]').disabled = this.round.place === 0;
    this.drawStrip();
    scrollTo(0, 0);
    if (!focus) return;
    const field = screen.querySelector('.round-field input');
    // The keyboard comes up where a number is typed; elsewhere readers hear the heading.
    (field ?? screen.querySelector('h2')).focus({ preventScroll: true });
  }

  drawStrip() {
    const strip = this.form.querySelector('[data-strip]');
    strip.replaceChildren(...this.points.map((point, place) => {
      const found = this.judge(point);
      return make('span', { 'data-tone': found.fault ? 'late' : TONES[found.verdict] ?? '', 'data-here': place === this.round.place });
    }));
  }

  next() {
    const point = this.points[this.round.place];
    const found = this.show(point);
    const sure = this.field(`sure-${point.rule.code}`);
    if (found.fault) {
      point.section.querySelector('.round-field input')?.focus();
      announce(`${point.rule.name}: ${found.fault}`);
      return;
    }
    const asked = point.section.querySelector('[data-ask]');
    if (found.jump && !sure.checked && asked.hidden) {
      const words = fill(this.words.sure, { value: said(found.value), last: said(point.rule.last) });
      asked.querySelector('[data-ask-words]').textContent = words;
      asked.hidden = false;
      asked.dataset.value = String(found.value);
      announce(words);
      return;
    }
    // Asked once: whoever goes on has answered.
    if (found.jump) sure.checked = true;
    this.go(this.round.place + 1);
    this.keep();
  }

  lines(row) {
    return this.points.map((point, place) => row(point, this.judge(point), place));
  }

  showAll() {
    this.all.querySelector('[data-points]').replaceChildren(...this.lines(({ rule }, found, place) => {
      const button = make('button', { class: 'round-go', type: 'button' }, make('span', {}, make('b', {}, rule.name), make('span', { class: 'dim small' }, ` ${rule.section}`)),
        make('span', { 'data-tone': found.fault ? 'late' : TONES[found.verdict] ?? '' }, found.fault ?? (found.words || this.words[found.verdict] || this.words.open)));
      button.addEventListener('click', () => this.go(place));
      return make('li', {}, button);
    }));
  }

  /** What the three voltages together mean, where all of them were measured. */
  uneven() {
    const voltages = this.facts.voltages.map((code) => this.judge(this.points.find(({ rule }) => rule.code === code)).value ?? null);
    const apart = unbalance(voltages);
    return apart !== null && apart > TOO_UNEVEN ? apart : null;
  }

  showEnd() {
    const counts = { danger: 0, warning: 0, normal: 0, unmeasured: 0 };
    const open = [];
    const along = [];
    this.points.forEach((point, place) => {
      const found = this.judge(point);
      const kind = found.verdict === 'recorded' ? 'normal' : found.verdict;
      if (kind) counts[kind] += 1;
      else if (!point.rule.optional || found.fault) open.push([point, place]);
      if (found.verdict in BY_VERDICT) along.push(this.along(point, found, place));
    });
    const uneven = this.uneven();
    if (uneven !== null) {
      counts.warning += 1;
      along.push(this.alongUneven(uneven));
    }
    const tones = { danger: 'late', warning: 'soon' };
    const names = { ...this.words, normal: this.words.fine };
    this.last.querySelector('[data-counts]').replaceChildren(...Object.entries(counts).map(([kind, count]) => make('span', { 'data-tone': count ? tones[kind] ?? '' : '' },
      make('b', {}, String(count)), make('span', { class: 'small dim' }, names[kind]))));
    if (this.photos.kept.length) {
      const words = fill(this.words.photos, { count: this.photos.kept.length });
      along.push(make('li', {}, make('span', {}, make('b', {}, words), make('span', { class: 'dim small' }, this.photos.sizes()))));
    }
    for (const [point, place] of open) along.push(this.line(point.rule.name, this.words.open, 'late', this.words.change, () => this.go(place)));
    this.last.querySelector('[data-along-part]').hidden = !along.length;
    this.last.querySelector('[data-along]').replaceChildren(...along);
    this.last.querySelector('[data-began]').textContent = ` · ${fill(this.words.begun, { time: clock(new Date(this.round.started)) })}`;
    this.last.querySelector('[data-signed-at]').textContent = ` · ${clock(instant())}`;
    this.offline();
  }

  line(name, words, tone, action, act) {
    const button = make('button', { class: 'btn btn-ghost', type: 'button', 'aria-label': `${action}: ${name}` }, action);
    button.addEventListener('click', act);
    return make('li', {}, make('span', { 'data-tone': tone }, make('b', {}, name), make('span', { class: 'dim small' }, words)), button);
  }

  along(point, found, place) {
    const { code, name } = point.rule;
    const ordered = this.field(`order-${code}`)?.checked;
    const words = ordered ? `${this.words.order} · ${this.priority(code, found)}` : this.words.no_order;
    return this.line(`${name} ${found.words}`, this.withPhotos(code, words), TONES[found.verdict], this.words.change, () => this.go(place));
  }

  alongUneven(apart) {
    const words = `${this.words.uneven} ${said(Number(apart.toFixed(1)))} %`;
    const box = this.field(`order-${UNBALANCE}`);
    const line = this.line(words, box?.checked ? `${this.words.order} · ${this.priorities.high}` : this.words.no_order, 'soon', this.words.toggle, () => {
      box.checked = !box.checked;
      this.keep();
      this.showEnd();
    });
    if (!box) line.querySelector('button').remove();
    return line;
  }

  offline() {
    this.form.querySelector('[data-offline]').hidden = navigator.onLine;
  }

  async send() {
    const open = this.points.findIndex((point) => {
      const found = this.judge(point);
      return found.fault || (!found.verdict && !point.rule.optional);
    });
    if (open >= 0) {
      this.go(open);
      announce(`${this.points[open].rule.name}: ${this.words.missing}`);
      this.points[open].section.querySelector('[data-verdict]').textContent ||= this.words.missing;
      return;
    }
    const { round } = this;
    round.fields = this.collect();
    const body = new URLSearchParams(round.fields);
    for (const [code, at] of Object.entries(round.times)) body.set(`at-${code}`, at);
    body.set('started_at', round.started);
    body.set('finished_at', instant().toISOString());
    body.set('round_key', round.key);
    await finish(round, body.toString());
    this.form.hidden = true;
    document.querySelector('[data-after]').hidden = false;
    await showKept();
    const panel = document.querySelector('[data-kept-here]');
    panel.querySelector('h2').setAttribute('tabindex', '-1');
    panel.querySelector('h2').focus();
    document.addEventListener('round-sent', (event) => {
      if (event.detail.key === round.key) location.href = event.detail.address;
    });
    document.addEventListener('round-refused', (event) => {
      if (event.detail.key === round.key) location.reload();
    });
    await flush(true);
  }

  listen() {
    const { form } = this;
    const pointOf = (target) => this.points.find(({ section }) => section.contains(target));
    for (const type of ['input', 'change']) {
      form.addEventListener(type, ({ target }) => {
        if (target.name?.startsWith('order-')) this.round.chosen[target.name.slice(6)] = true;
        const point = pointOf(target);
        if (point) this.show(point);
        this.keep(type === 'input' ? target.name : undefined);
      });
    }
    form.addEventListener('change', async ({ target }) => {
      if (!target.matches('[data-photo]')) return;
      const point = pointOf(target);
      const files = [...target.files];
      target.value = '';
      const faults = await this.photos.add(point.rule.code, files).catch(() => [this.words.not_kept]);
      this.show(point);
      await this.keep();
      if (!faults.length) return;
      point.section.querySelector('[data-verdict]').textContent = faults.join(' ');
      announce(faults.join(' '));
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      event.stopPropagation();
      this.send();
    }, true);
    form.addEventListener('keydown', (event) => {
      // Enter is the way to the next point, not to the end.
      if (event.key !== 'Enter' || !event.target.matches('input:not([type=checkbox])')) return;
      event.preventDefault();
      if (this.round.place < this.points.length) this.next();
    });
    form.querySelector('[data-next]').addEventListener('click', () => this.next());
    form.querySelector('[data-back]').addEventListener('click', () => this.go(Math.max(0, this.round.place - 1)));
    form.querySelector('[data-all]').addEventListener('click', () => this.go(this.all.hidden ? 'all' : this.round.place));
    form.querySelector('[data-strip]').addEventListener('click', (event) => {
      const box = event.currentTarget.getBoundingClientRect();
      const place = Math.floor((event.clientX - box.left) / box.width * this.points.length);
      this.go(Math.min(Math.max(place, 0), this.points.length - 1));
    });
    form.querySelector('[data-sign-clear]').addEventListener('click', () => {
      this.sign('');
      this.signed('');
    });
    on('click', '[data-open]', (_event, button) => {
      const section = button.closest('[data-point]');
      const part = section.querySelector(`[data-part=${button.dataset.open}]`);
      this.unfold(section, button.dataset.open, part.hidden);
      if (!part.hidden) part.querySelector('select, textarea').focus();
    });
    for (const type of ['online', 'offline']) {
      addEventListener(type, () => {
        this.offline();
        if (this.kept) this.said(clock(new Date()));
      });
    }
  }

  async start() {
    await this.photos.load();
    if (this.facts.voltages.length === 3 && this.form.querySelector('[data-order]')) {
      this.last.append(make('input', { type: 'checkbox', name: `order-${UNBALANCE}`, value: '1', hidden: true, 'aria-label': this.words.uneven }));
    }
    this.form.classList.add('is-walked');
    this.restore();
    this.points.forEach((point) => this.show(point));
    this.listen();
    const wrong = this.points.findIndex(({ rule }) => this.round.errors?.[rule.code]);
    this.go(wrong >= 0 ? wrong : this.round.place, wrong >= 0 || this.round.place > 0);
    if (this.round.errors?.['']) this.form.querySelector('[data-kept]').textContent = this.round.errors[''];
  }
}

/** Turn the form of a sheet into a round: the one that was begun here, or a new one. */
export async function walk(form) {
  const facts = JSON.parse(form.dataset.round);
  const sheet = sheetId(form);
  const rounds = await mine('rounds').catch(() => []);
  const begun = rounds.find((one) => one.sheet === sheet && (one.state === 'open' || one.state === 'refused'));
  await new Walk(form, begun ?? {
    key: newKey(), me: me(), sheet, address: facts.address, title: facts.title, site: facts.site, points: facts.points,
    state: 'open', at: Date.now(), started: instant().toISOString(), place: 0, answered: 0, fields: {}, times: {}, chosen: {},
  }).start();
}
