/* Boot: the token of unsafe requests, answers that went wrong, theme; every other module takes care of itself. */
import { config, csrf, LAST_PERSON, on, text } from './dom.js';
import { showToast } from './toasts.js';
import { ask } from './dialogs.js';
import { unknown } from './net.js';
import { mended, stale } from './session.js';
import './keep.js';
import './passkeys.js';
import './forms.js';
import './drafts.js';
import './busy.js';
import './countdown.js';
import './poll.js';
import './keys.js';
import './palette.js';
import './people.js';
import './list.js';

document.documentElement.classList.add('has-script');
// What was hidden until now could not take the focus.
document.querySelector('.needs-script [autofocus]')?.focus();

// The tab of this page may lie beyond the edge of a narrow screen.
document.querySelectorAll('.tabs > [aria-current]').forEach((tab) => {
  const bar = tab.parentElement;
  bar.scrollLeft = tab.offsetLeft - bar.offsetLeft - (bar.clientWidth - tab.offsetWidth) / 2;
});

// Whoever signs in on a phone takes the place of the one before: their rounds are not shown any more.
if (config.me) localStorage.setItem(LAST_PERSON, config.me);

document.addEventListener('htmx:config:request', (event) => {
  const { request } = event.detail.ctx;
  if (request.method !== 'GET') request.headers['X-CSRFToken'] = csrf();
});

// An answer that is a whole page (or no HTML at all) must not land inside a part of this one.
document.addEventListener('htmx:response:error', (event) => {
  const { ctx } = event.detail;
  const { status, headers } = ctx.response;
  if (status === 401 || headers.get('X-Error-Code') === 'csrf_failed') {
    repair(ctx);
    return;
  }
  if (JSON.parse(headers.get('HX-Trigger') || '{}').toast) {
    if (!ctx.text.trim()) ctx.hx.reswap = 'none'; // it says itself what was refused
    return;
  }
  const type = ctx.response.headers.get('Content-Type') ?? '';
  const whole = /^\s*<(!doctype|html)/i.test(ctx.text ?? '');
  if (type.startsWith('text/html') && !whole && ctx.text.trim()) return;
  ctx.hx.reswap = 'none';
  ctx.text = '';
  showToast({ message: text('failed'), kind: 'error' });
});
document.addEventListener('htmx:error', (event) => {
  const { error, ctx } = event.detail;
  if (!ctx) return;
  const late = ctx.request?.signal?.reason === 'timeout';
  if (!late && !(error instanceof TypeError)) {
    showToast({ message: text('failed'), kind: 'error' });
    return;
  }
  const safe = ['once', 'version', 'token'].some((name) => ctx.request?.body?.has?.(name));
  showToast({ message: unknown(ctx.request?.method ?? 'GET', { late, safe }), kind: 'error' });
});

/* The session has ended, or the page is older than the session: it is mended in place, and what was asked for is asked
   again. An address to go to is for pages without this script; a first password has a page of its own. */
async function repair(ctx) {
  if (ctx.hx.redirect && !ctx.hx.redirect.startsWith('/sign-in')) return;
  delete ctx.hx.redirect;
  ctx.hx.reswap = 'none';
  ctx.text = '';
  const { sourceElement: source, request } = ctx;
  // What asks by itself says that the page is old; only what a person did asks them to sign in.
  if (source.matches('[hx-trigger*="from:body"], [hx-trigger^="load"]')) {
    stale('ended');
    return;
  }
  if (!await mended(ctx.response.raw) || !source.isConnected) return;
  if (source.matches('form')) source.requestSubmit(source.contains(request.submitter) ? request.submitter : undefined);
  else if (source.matches('a, button')) source.click();
}

// Sent before, and taken then: the page shows what became of it.
document.addEventListener('stored-before', (event) => {
  const drawer = document.querySelector('#drawer-slot [data-drawer]');
  const work = document.getElementById('my-work');
  const here = location.pathname + location.search;
  if (drawer) htmx.ajax('GET', here, { target: '#drawer-slot', swap: 'innerHTML' });
  else if (work) htmx.ajax('GET', here, { target: '#my-work', swap: 'outerHTML' });
  else if (!event.target.closest('[data-closes-dialog]')) location.reload();
});

// A weighty action asks first, in the page's own words.
document.addEventListener('htmx:confirm', (event) => {
  const { ctx, issueRequest, dropRequest } = event.detail;
  if (!ctx.confirm) return;
  event.preventDefault();
  ask(ctx.confirm).then((yes) => (yes ? issueRequest : dropRequest)());
});

// The theme changes at once; the cookie tells the server for the next page.
on('submit', '[data-theme-form]', (event, form) => {
  event.preventDefault();
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
  document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;
  delete form.dataset.sent;
  form.querySelectorAll('.is-busy').forEach((button) => button.classList.remove('is-busy'));
});
