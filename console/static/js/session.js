/* A session that has ended is noticed, told and mended in place: a banner, and the sign-in over the page. */
import { announce, config, csrf, make, now, on, setCsrf, text } from './dom.js';
import { answered } from './dialogs.js';

const DOOR = '/sign-in';
const PARTIAL = { 'HX-Request': 'true', 'HX-Request-Type': 'partial', Accept: 'text/html' };

/* What is shown may be old: the page says so, with the instant up to which it is true. */
const shownAt = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit', minute: '2-digit', timeZone: document.querySelector('[data-clock]')?.dataset.clock,
});
let fresh = now();

/** Note that what the page shows has been read at this moment. */
export function current() {
  fresh = now();
  document.getElementById('stale')?.remove();
}

/** Say above the page that it is no longer kept up to date; `why` is "ended", "away" or "denied". */
export function stale(why) {
  const content = document.getElementById('content');
  if (!content || document.getElementById('stale')?.dataset.why === why) return;
  document.getElementById('stale')?.remove();
  const sentence = text(`stale_${why}`, { time: shownAt.format(fresh) });
  const banner = make('div', { class: 'notice notice-late stale', id: 'stale', role: 'alert', 'data-why': why }, make('p', {}, sentence));
  if (why === 'ended') {
    const button = make('button', { class: 'btn btn-sm', type: 'button', 'data-sign-in': true }, text('sign_in'));
    banner.append(make('div', { class: 'cluster' }, button));
  }
  content.prepend(banner);
}

on('click', '[data-sign-in]', () => { signIn(); });

async function door(options = {}) {
  const address = `${DOOR}?next=${encodeURIComponent(location.pathname + location.search)}`;
  const response = await fetch(address, { credentials: 'same-origin', ...options, headers: { ...PARTIAL, ...options.headers } });
  const made = document.createElement('template');
  made.innerHTML = await response.text();
  return { response, parts: made.content };
}

/** Take over the token of the new session; somebody else's page is read anew instead. */
function enter(parts) {
  const opened = parts.querySelector('[data-signed-in]');
  if (!opened) return false;
  if (opened.dataset.signedIn !== config.me) {
    location.reload();
    return false;
  }
  setCsrf(opened.dataset.csrf);
  current();
  document.dispatchEvent(new CustomEvent('signed-in', { bubbles: true }));
  return true;
}

let asking = null;

/** Sign in over the page; gives whether the same person is signed in afterwards. */
function signIn() {
  asking ??= ask().finally(() => { asking = null; });
  return asking;
}

async function ask() {
  stale('ended');
  const { parts } = await door().catch(() => ({ parts: document.createDocumentFragment() }));
  if (enter(parts)) return true;
  const form = parts.querySelector('form');
  if (!form) return false;
  const holder = make('div', { class: 'dialog-body' }, make('p', { class: 'k-prose' }, text('session_ended')), form);
  const dialog = make('dialog', { class: 'dialog', id: 'sign-in-again', 'aria-labelledby': 'sign-in-again-title' },
    make('div', { class: 'dialog-head' }, make('h2', { id: 'sign-in-again-title' }, text('sign_in'))), holder,
    make('div', { class: 'dialog-foot' }, make('button', { class: 'btn', type: 'button', 'data-dialog-close': true }, text('cancel'))));
  if (!form.elements.username.value) form.elements.username.value = config.me;
  return answered(dialog, form.elements.password);
}

// Before the handlers that treat forms as forms of the page.
addEventListener('submit', async (event) => {
  const form = event.target;
  const dialog = form.closest?.('#sign-in-again');
  if (!dialog) return;
  event.preventDefault();
  event.stopPropagation();
  const button = form.querySelector('[type=submit]');
  button.disabled = true;
  try {
    const { response, parts } = await door({ method: 'POST', body: new URLSearchParams(new FormData(form)) });
    const elsewhere = response.headers.get('HX-Redirect');
    if (elsewhere) {
      location.href = elsewhere;
      return;
    }
    if (enter(parts)) {
      dialog.close('yes');
      announce(text('signed_in'));
      return;
    }
    const again = parts.querySelector('form');
    if (!again) return;
    form.replaceWith(again);
    (again.querySelector('[data-error-summary]') ?? again.elements.code ?? again.elements.password)?.focus();
  } catch {
    announce(text('offline'));
  } finally {
    button.disabled = false;
  }
}, true);

/** Give whether a refused request may be sent once more, because what was missing has been mended. */
export async function mended(response) {
  if (response.status === 401) return signIn();
  if (response.status !== 400 || response.headers.get('X-Error-Code') !== 'csrf_failed') return false;
  const before = csrf();
  const { parts } = await door().catch(() => ({ parts: document.createDocumentFragment() }));
  if (enter(parts)) return csrf() !== before;
  return signIn();
}
