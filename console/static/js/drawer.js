/* A drawer beside a list: its address is pushed by htmx and the focus goes into it; closing gives the list's address
   back, and the focus to the row or link that it was opened from. */
import { eachLoad, on, text } from './dom.js';
import { forget } from './drafts.js';
import { choose } from './list.js';

const slot = () => document.getElementById('drawer-slot');
let opener = null;
let shown = slot()?.querySelector('[data-drawer]')?.id ?? null;

// The list may have been read again, with new rows.
function backTo(drawer) {
  const id = drawer.replace(/^\D+/, '');
  const row = document.querySelector(`[data-row][data-id="${id}"]`);
  if (row) choose(row);
  else (opener?.isConnected ? opener : document.getElementById('content'))?.focus();
}

on('click', 'a[hx-target="#drawer-slot"]', (_event, link) => {
  opener = link;
});
document.addEventListener('htmx:after:swap', (event) => {
  const drawer = slot()?.querySelector('[data-drawer]');
  if (!drawer && shown) backTo(shown);
  shown = drawer?.id ?? null;
  if (!drawer || !event.detail?.ctx?.request) return;
  const inside = drawer.contains(document.activeElement);
  if (!inside && !document.querySelector('dialog[open]') && slot().kaShown !== drawer) drawer.focus();
  slot().kaShown = drawer;
});
/* What was taken back may be what the drawer shows: it reads itself again, unless somebody is writing in it. */
document.addEventListener('undone', () => {
  const drawer = slot()?.querySelector('[data-drawer]');
  if (!drawer || drawer.querySelector('form[data-dirty]')) return;
  htmx.ajax('GET', location.pathname + location.search, { target: '#drawer-slot', swap: 'innerHTML' });
});
/* On a phone the form that changes an item waits folded behind the evidence, unless something stands in it. */
eachLoad((root) => {
  for (const fold of root.querySelectorAll('[data-fold-narrow]')) {
    fold.removeAttribute('data-fold-narrow');
    if (matchMedia('(max-width: 767.98px)').matches && !fold.querySelector('form[data-dirty]')) fold.open = false;
  }
});
on('click', '[data-drawer-close]', (event, link) => {
  const drawer = link.closest('[data-drawer]');
  if (!drawer || !slot()?.contains(drawer)) return;
  const open = [...drawer.querySelectorAll('form[data-dirty]')];
  if (link.matches('[data-away]') && !open.length) return;
  event.preventDefault();
  if (open.length && !window.confirm(text('unsaved'))) return;
  open.forEach(forget);
  if (link.matches('[data-away]')) {
    open.forEach((form) => form.removeAttribute('data-dirty'));
    location.assign(link.href);
    return;
  }
  slot().replaceChildren();
  history.pushState({ htmx: true }, '', link.getAttribute('href'));
  shown = null;
  backTo(drawer.id);
});
