/* Requests of the scripts themselves: what is refused is mended where it can be, what is said is heard. */
import { csrf, text } from './dom.js';
import { mended } from './session.js';

const PARTIAL = { 'HX-Request': 'true', 'HX-Request-Type': 'partial', Accept: 'text/html' };

/** Send a request of the page; after an ended session the person signs in over it and it is sent once more.

    Gives `response`, its `body` as a text, what it `asked` the page to hear, and what it `said` in a refusal. */
export async function send(address, { method = 'GET', values = null } = {}, again = true) {
  const headers = method === 'GET' ? PARTIAL : { ...PARTIAL, 'X-CSRFToken': csrf() };
  const response = await fetch(address, { method, headers, body: values && new URLSearchParams(values) });
  if (again && await mended(response)) return send(address, { method, values }, false);
  const body = await response.text();
  return { response, body, ok: response.ok, asked: hear(response), said: response.ok ? '' : refusal(response, body) };
}

/** POST a small form by script. */
export const post = (address, values = {}) => send(address, { method: 'POST', values });

/** Dispatch what an answer asks for, as htmx does for its own requests. */
export function hear(response) {
  const asked = JSON.parse(response.headers.get('HX-Trigger') || '{}');
  for (const [name, detail] of Object.entries(asked)) {
    document.body.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
  return asked;
}

/** Give the sentence of a refusal; an ended session has its own. */
export function refusal({ status }, body) {
  if (status === 401) return text('session_ended');
  const made = document.createElement('template');
  made.innerHTML = body;
  const toast = made.content.querySelector('template')?.content ?? made.content;
  return toast.querySelector('.k-toast-text')?.textContent.trim() || text(status === 403 ? 'forbidden' : 'failed');
}

/** Give what is known after a request that got no answer; `safe` says that sending it twice does no harm. */
export function unknown(method, { late = false, safe = false } = {}) {
  if (method === 'GET') return text(late ? 'timeout' : 'offline');
  return text(safe ? 'unknown_safe' : 'unknown');
}
