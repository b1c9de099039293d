/* Boot: the token of unsafe requests, answers that went wrong, theme; every other module takes care of itself. */
import { csrf, on, text } from './dom.js';
import { showToast } from './toasts.js';
import { ask } from './dialogs.js';
import './forms.js';
import './countdown.js';
import './poll.js';
import './keys.js';
import './palette.js';
import './people.js';
import './list.js';

document.documentElement.classList.add('has-script');

document.addEventListener('htmx:config:request', (event) => {
  const { request } = event.detail.ctx;
  if (request.method !== 'GET') request.headers['X-CSRFToken'] = csrf();
});

// An answer that is a whole page (or no HTML at all) must not land inside a part of this one.
document.addEventListener('htmx:response:error', (event) => {
  const { ctx } = event.detail;
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
  showToast({ message: text(late ? 'timeout' : error instanceof TypeError ? 'offline' : 'failed'), kind: 'error' });
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
