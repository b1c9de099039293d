/* Drafts: what somebody writes into a form is kept in this tab until it has been taken, so that another row, Back, a
   reload or an ended session loses nothing. Secrets and files are never kept. */
import { config, eachLoad, LAST_PERSON, make, on, text, UNSENT } from './dom.js';
import { fields, held, nameOf, put, stored, written } from './fields.js';
import { showToast } from './toasts.js';

const PREFIX = 'ka-draft:';
const SENT = 'ka-draft-sent';
const STAY = 12 * 3_600_000;
const FORMS = 'form[method="post"]:not([data-quiet], [data-inline-form], [data-theme-form])';

const keeps = (form) => Boolean(config.me) && form.matches(FORMS) && !form.querySelector('[type=password]');
const keyOf = (form) => `${PREFIX}${config.me}:${new URL(form.action, location.href).pathname}:${form.id}`;

/** Forget what was kept of a form. */
export function forget(form) {
  if (keeps(form)) sessionStorage.removeItem(keyOf(form));
  form.querySelector('[data-draft]')?.remove();
}

function keep(form) {
  if (!keeps(form)) return;
  const changed = written(form).map((field) => [nameOf(field), stored(field), held(field)]);
  if (!changed.length && !form.matches('[data-refused]')) {
    sessionStorage.removeItem(keyOf(form));
    return;
  }
  const words = form.matches('[data-refused]') ? fields(form).map((field) => [nameOf(field), '', held(field)]) : changed;
  try {
    sessionStorage.setItem(keyOf(form), JSON.stringify({ at: Date.now(), version: form.elements.namedItem('version')?.value, words }));
  } catch { /* The store is full or switched off: the question before leaving remains. */ }
}

function bringBack(form) {
  if (!keeps(form) || form.matches('[data-dirty], [data-refused]')) return;
  const kept = JSON.parse(sessionStorage.getItem(keyOf(form)) ?? 'null');
  if (!kept) return;
  const byName = new Map(fields(form).map((field) => [nameOf(field), field]));
  let clash = false;
  let back = 0;
  for (const [name, before, words] of Date.now() - kept.at < STAY ? kept.words : []) {
    const field = byName.get(name);
    if (!field || held(field) === words || !put(field, words)) continue;
    clash ||= stored(field) !== before;
    back += 1;
  }
  if (!back) {
    sessionStorage.removeItem(keyOf(form));
    return;
  }
  const version = form.elements.namedItem('version');
  if (clash && version && kept.version) version.value = kept.version; // saving then shows both values
  form.setAttribute('data-dirty', '');
  form.closest('details')?.setAttribute('open', '');
  form.prepend(make('div', { class: 'notice notice-soon draft', role: 'status', 'data-draft': true }, make('p', {}, text('draft_back')),
    make('div', { class: 'cluster' }, make('button', { class: 'btn btn-sm', type: 'button', 'data-draft-drop': true }, text('draft_drop')))));
}

on('input', FORMS, (_event, form) => keep(form));
on('change', FORMS, (_event, form) => keep(form));
on('click', '[data-draft-drop]', (_event, button) => {
  const form = button.closest('form');
  for (const field of written(form)) put(field, stored(field));
  form.removeAttribute('data-dirty');
  forget(form);
  (fields(form)[0] ?? form).focus();
});
// Another way is chosen on purpose: what was written goes with it.
on('click', '[data-discard]', (_event, link) => {
  const form = link.closest('form');
  form.removeAttribute('data-dirty');
  for (const field of written(form)) put(field, stored(field));
  forget(form);
}, true);
on('submit', '[data-forget-drafts]', (_event, form) => {
  // A sign-out clears what the browser holds of us, but for rounds that were not sent.
  if (localStorage.getItem(UNSENT)) form.append(make('input', { type: 'hidden', name: 'keep_rounds', value: '1' }));
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
  // Rounds of this phone stay with their person and are not shown before they sign in again.
  localStorage.removeItem(LAST_PERSON);
});
// Taken out of the page together with its row: it waits in its draft.
document.addEventListener('forms-left', (event) => {
  const waits = (form) => keeps(form) && sessionStorage.getItem(keyOf(form));
  if (event.detail.forms.some(waits)) showToast({ message: text('draft_kept') });
});
document.addEventListener('form-taken', (event) => forget(event.detail.form));

/* A plain form leaves the page: the next one tells whether it was taken. */
document.addEventListener('form-sent', (event) => {
  if (keeps(event.detail.form)) sessionStorage.setItem(SENT, keyOf(event.detail.form));
});
document.addEventListener('form-held', () => sessionStorage.removeItem(SENT));
const sent = sessionStorage.getItem(SENT);
sessionStorage.removeItem(SENT);
if (sent && config.me && !document.querySelector('[data-failure]')) sessionStorage.removeItem(sent);
eachLoad((root) => root.querySelectorAll(FORMS).forEach(bringBack));
