/* Small helpers that every module shares: what the page says about itself, sentences, delegated events. */

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? '';

/** What the server tells the scripts: language, sentences, words of countdowns, its clock. */
export const config = JSON.parse(meta('ka-config') || '{"texts":{},"words":{},"now":0,"locale":"ko"}');

/** Where this browser notes who was signed in last: without a signal nobody can be asked. */
export const LAST_PERSON = 'ka-round-me';

/** Where it notes that rounds or photos wait to be sent. */
export const UNSENT = 'ka-round-unsent';

/** Milliseconds between the server's clock and this machine's. */
const drift = config.now - Date.now();

/** The present instant by the server's clock, in milliseconds. */
export const now = () => Date.now() + drift;

/** A sentence in the reader's language, with its values filled in. */
export function text(key, values = {}) {
  return fill(config.texts[key] ?? key, values);
}

/** Fill `%(name)s` places of a sentence. */
export function fill(sentence, values) {
  return sentence.replace(/%\((\w+)\)s/g, (_whole, name) => (Number.isInteger(values[name]) ? values[name].toLocaleString('en') : values[name] ?? ''));
}

export const csrf = () => meta('csrf-token');

/** Take the token of a new session, for requests of scripts and for every form of the page. */
export function setCsrf(token) {
  document.querySelector('meta[name="csrf-token"]').content = token;
  for (const field of document.querySelectorAll('input[name="csrf_token"]')) field.value = token;
}

/** Listen on the document for `type` at elements that match `selector`, those of later swaps included. */
export function on(type, selector, handler, options) {
  document.addEventListener(type, (event) => {
    const found = event.target instanceof Element ? event.target.closest(selector) : null;
    if (found) handler(event, found);
  }, options);
}

/** Say something to screen readers without moving the focus. */
export function announce(sentence) {
  const region = document.getElementById('announcer');
  if (region) region.textContent = sentence;
}

/** Put the focus on an element, also on one that is no control, such as a row or a heading. */
export function focusOn(element) {
  if (element && element.tabIndex < 0) element.setAttribute('tabindex', '-1');
  element?.focus({ preventScroll: true });
}

/** Run `work` now and after every swap, with the element that came in. */
export function eachLoad(work) {
  work(document.body);
  document.addEventListener('htmx:after:swap', () => work(document.body));
}

/** Make an element: tag, attributes, children (texts or elements). */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, '');
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
