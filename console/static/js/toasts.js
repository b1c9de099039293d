/* Toasts: leave after ten seconds, later with an undo; a pointer or the focus on one stops the clock. */
import { eachLoad, focusOn, make, on, text } from './dom.js';
import { post, unknown } from './net.js';

const STAY = 10_000;
const STAY_WITH_UNDO = 30_000;
const started = new WeakSet();
const before = new WeakMap(); // what had the focus when it went into a toast

function leave(toast) {
  const hadFocus = toast.contains(document.activeElement);
  toast.remove();
  if (!hadFocus) return;
  const from = before.get(toast);
  focusOn(from?.isConnected ? from : document.querySelector('[data-row].is-current') ?? document.getElementById('content'));
}

function start(toast) {
  if (started.has(toast)) return;
  started.add(toast);
  const close = toast.querySelector('[data-toast-close]');
  if (close) close.hidden = false;
  const stay = toast.querySelector('[data-undo]') ? STAY_WITH_UNDO : STAY;
  let timer = 0;
  const run = () => { clearTimeout(timer); timer = setTimeout(leave, stay, toast); };
  const stop = () => clearTimeout(timer);
  toast.addEventListener('focusin', ({ relatedTarget: from }) => {
    if (from && !toast.contains(from)) before.set(toast, from);
  });
  for (const type of ['pointerenter', 'focusin']) toast.addEventListener(type, stop);
  for (const type of ['pointerleave', 'focusout']) toast.addEventListener(type, run);
  run();
}

async function takeBack(toast, undo, token, button) {
  if (button.ariaDisabled === 'true') return; // a button that is disabled would lose the focus
  button.ariaDisabled = 'true';
  try {
    const { ok, asked, said } = await post(undo, token ? { token } : {});
    if (!ok) {
      button.ariaDisabled = 'false';
      if (!asked.toast) showToast({ message: said, kind: 'error' });
      return;
    }
    leave(toast);
    document.body.dispatchEvent(new CustomEvent('undone', { bubbles: true }));
    if (!asked.toast) showToast({ message: text('undone') });
  } catch {
    button.ariaDisabled = 'false';
    showToast({ message: unknown('POST', { safe: true }), kind: 'error' });
  }
}

/** Show a message; `undo` is an address that takes it back, `token` its key, `link` an address and its words. */
export function showToast({ message, kind = 'success', undo = null, token = null, link = null }) {
  const region = document.getElementById('toasts');
  if (!region || !message) return;
  const close = make('button', { class: 'btn btn-sm', type: 'button', 'data-toast-close': true, 'aria-label': text('close') }, '✕');
  const toast = make('div', { class: `k-toast k-toast-${kind}`, 'data-toast': kind, role: kind === 'error' ? 'alert' : 'status' },
    make('span', { class: 'k-toast-text' }, message));
  if (link) toast.append(make('a', { class: 'btn btn-sm', href: link[0] }, link[1]));
  if (undo) {
    const button = make('button', { class: 'btn btn-sm', type: 'button', 'data-undo': true }, text('undo'));
    button.addEventListener('click', () => takeBack(toast, undo, token, button));
    toast.append(button);
  }
  toast.append(close);
  region.append(toast);
  start(toast);
}

/** Press the undo of the newest message that has one; gives whether there was one. */
export function undoLast() {
  const last = [...document.querySelectorAll('#toasts [data-undo]')].at(-1);
  last?.click();
  return Boolean(last);
}

on('click', '[data-toast-close]', (_event, button) => leave(button.closest('[data-toast]')));
// The answer of a plain undo form has its own toast; this one has done its work.
on('htmx:after:request', '[data-toast]', (event, toast) => {
  if (event.detail?.ctx?.response?.status < 400) leave(toast);
});
document.addEventListener('toast', (event) => showToast(event.detail ?? {}));
eachLoad((root) => root.querySelectorAll('[data-toast]').forEach(start));
