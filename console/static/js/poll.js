/* Live parts: an element with data-poll asks its address again after data-poll-every seconds. It sends the tag of what
   it shows (HX-PTag); the server answers 304 in a few bytes while nothing changed. Asking stops while the page is
   hidden or something in the part is held (data-hold), slows down while nothing changes, and ends with status 286 or
   without an interval. When the answers stay away (session ended, no connection), the page says so and goes on asking
   now and then. */
import { eachLoad } from './dom.js';
import { hear } from './net.js';
import { current, stale } from './session.js';

const MOST = 30;
const TAG = 'HX-PTag';
const waiting = new WeakMap();

function plan(element, seconds) {
  clearTimeout(waiting.get(element));
  waiting.set(element, setTimeout(ask, seconds * 1000, element, seconds || Number(element.dataset.pollEvery)));
}

async function ask(element, seconds) {
  if (!element.isConnected) return;
  const held = element.matches('[data-hold]') || element.querySelector('[data-hold]');
  if (document.hidden || held || element.contains(document.activeElement?.closest('input, select, textarea, [open]'))) {
    plan(element, seconds);
    return;
  }
  let next = Math.min(seconds * 1.5, MOST);
  try {
    const headers = { 'HX-Request': 'true', 'HX-Request-Type': 'partial', Accept: 'text/html' };
    if (element.kaTag) headers[TAG] = element.kaTag;
    const response = await fetch(element.dataset.poll, { headers });
    if (response.status === 404) return;
    if (response.ok || response.status === 304) current();
    else {
      stale({ 401: 'ended', 403: 'denied' }[response.status] ?? 'away');
      next = MOST;
    }
    if (response.ok && response.status !== 204) {
      if (response.status === 286) element.dataset.pollEvery = '0';
      await swap(element, await response.text(), response.headers.get(TAG));
      hear(response);
      return;
    }
  } catch {
    stale('away');
    next = MOST;
  }
  plan(element, next);
}

async function swap(element, body, tag) {
  const { id } = element;
  const unfolded = [...element.querySelectorAll('details[id][open]')].map((fold) => fold.id);
  await htmx.swap({ target: element, text: body, swap: 'outerMorph', sourceElement: element });
  const fresh = document.getElementById(id);
  if (!fresh) return;
  fresh.kaTag = tag;
  // What a reader unfolded stays so.
  for (const name of unfolded) document.getElementById(name)?.setAttribute('open', '');
  begin(fresh);
  if (!Number(fresh.dataset.pollEvery)) catchUp(fresh);
}
/* What was waited for has ended: the other parts of the page, which it may have changed, ask at once. */
function catchUp(ended) {
  for (const element of document.querySelectorAll('[data-poll]')) {
    const seconds = Number(element.dataset.pollEvery);
    if (element === ended || !(seconds > 0)) continue;
    clearTimeout(waiting.get(element));
    waiting.set(element, setTimeout(ask, 0, element, seconds));
  }
}

function begin(element) {
  const seconds = Number(element.dataset.pollEvery);
  if (seconds > 0) plan(element, seconds);
  else clearTimeout(waiting.get(element));
}

eachLoad((root) => root.querySelectorAll('[data-poll]').forEach((element) => {
  if (!waiting.has(element)) begin(element);
}));
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) document.querySelectorAll('[data-poll]').forEach(begin);
});
for (const back of ['signed-in', 'online']) {
  addEventListener(back, () => document.querySelectorAll('[data-poll]').forEach((element) => {
    if (Number(element.dataset.pollEvery) > 0) plan(element, 0);
  }));
}
