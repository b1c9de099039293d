/* The scale under a number: where its limits lie, where the last value was, where this one is. */
import { said } from './readings.js';

const WIDTH = 328;
const EDGE = 8;

/** Draw the scale of a point into its picture; without limits and without a last value there is none. */
export function drawScale(picture, { limits, last, recent }, value, tone, lastWords) {
  const bounds = limits.filter((one) => one !== null);
  const draw = (tag, attributes, words = '') => {
    const made = document.createElementNS(picture.namespaceURI, tag);
    for (const [name, content] of Object.entries(attributes)) made.setAttribute(name, content);
    made.textContent = words;
    return made;
  };
  picture.replaceChildren();
  picture.toggleAttribute('hidden', !bounds.length && last === null);
  if (!bounds.length && last === null) return;
  const known = [...bounds, ...recent, ...(value === null ? [] : [value])];
  let [least, most] = [Math.min(...known), Math.max(...known)];
  const room = (most - least || Math.abs(most) || 1) * 0.12;
  [least, most] = [least - room, most + room];
  const x = (one) => Math.round(EDGE + (WIDTH - 2 * EDGE) * (one - least) / (most - least));
  const zone = (from, to, kind) => picture.append(draw('rect', { x: from, y: 10, width: Math.max(0, to - from), height: 6, rx: 3, class: `round-zone-${kind}` }));
  const [dangerLow, warnLow, warnHigh, dangerHigh] = limits;
  zone(0, WIDTH, bounds.length ? 'ok' : 'plain');
  if (warnLow !== null) zone(0, x(warnLow), 'soon');
  if (dangerLow !== null) zone(0, x(dangerLow), 'late');
  if (warnHigh !== null) zone(x(warnHigh), WIDTH, 'soon');
  if (dangerHigh !== null) zone(x(dangerHigh), WIDTH, 'late');
  const label = (at, words) => picture.append(draw('text', { x: Math.min(Math.max(at, 14), WIDTH - 14), y: 35, 'text-anchor': at > WIDTH - 60 ? 'end' : at < 60 ? 'start' : 'middle' }, words));
  const mark = (bound, kind) => bound !== null && picture.append(draw('rect', { x: x(bound), y: 4, width: 1.5, height: 18, class: `round-zone-mark ${kind}` }));
  for (const bound of [warnLow, warnHigh]) mark(bound, 'is-soon');
  for (const bound of [dangerLow, dangerHigh]) mark(bound, '');
  const decides = bounds[0] ?? null;
  const near = decides !== null && last !== null && Math.abs(x(decides) - x(last)) < 90;
  if (decides !== null) label(x(decides), said(decides));
  if (last !== null) {
    if (!near) label(x(last), lastWords);
    picture.append(draw('circle', { cx: x(last), cy: 13, r: 5.5, class: 'round-mark-last' }));
  }
  if (value !== null) picture.append(draw('circle', { cx: x(value), cy: 13, r: 7, class: `round-mark round-mark-${tone || 'plain'}` }));
}
