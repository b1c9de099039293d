/* Dialogs, drawers, menus and the sheet of phones: opening, Esc, and giving the focus back. */
import { focusOn, make, on, text } from './dom.js';

const openers = new WeakMap();

/** Open a dialog by its id or element; the focus returns to `opener` when it closes. */
export function openDialog(which, opener = document.activeElement) {
  const dialog = typeof which === 'string' ? document.getElementById(which) : which;
  if (!dialog || dialog.open) return;
  openers.set(dialog, opener);
  dialog.showModal();
  const fields = dialog.querySelectorAll('[autofocus], .dialog-body input:not([type=hidden]), .dialog-body select, .dialog-body textarea');
  [...fields].find((field) => field.checkVisibility())?.focus();
}

/** Ask a question in a dialog of the page; gives whether it was answered with yes. */
export function ask(question) {
  const yes = make('button', { class: 'btn btn-primary', value: 'yes' }, text('continue'));
  const dialog = make('dialog', { class: 'dialog', 'aria-label': question },
    make('form', { method: 'dialog' },
      make('div', { class: 'dialog-body' }, make('p', { class: 'k-prose' }, question)),
      make('div', { class: 'dialog-foot' }, make('button', { class: 'btn', value: '' }, text('cancel')), yes)));
  return answered(dialog, yes);
}

/** Show a dialog that was made for one question; gives whether it was closed with yes. */
export function answered(dialog, first) {
  document.body.append(dialog);
  openDialog(dialog);
  first.focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'yes');
      dialog.remove();
    });
  });
}

function closed(dialog) {
  const opener = openers.get(dialog);
  if (opener?.isConnected) opener.focus();
  openers.delete(dialog);
}

on('click', '[data-dialog]', (event, link) => {
  if (!document.getElementById(link.dataset.dialog)) return;
  event.preventDefault();
  link.closest('details[data-menu]')?.removeAttribute('open');
  openDialog(link.dataset.dialog, link);
});
on('click', '[data-dialog-close]', (event, link) => {
  const dialog = link.closest('dialog');
  if (!dialog?.open) return;
  event.preventDefault();
  dialog.close();
});
// A click on the backdrop is a click on the dialog itself.
on('click', 'dialog.dialog', (event, dialog) => {
  if (event.target === dialog && dialog.open && !dialog.querySelector('[data-dirty]')) dialog.close();
});
document.addEventListener('close', (event) => {
  if (event.target instanceof HTMLDialogElement) closed(event.target);
}, true);
// A link acts as a button: Space presses it too.
on('keydown', 'a[role="button"]', (event, link) => {
  if (event.key !== ' ') return;
  event.preventDefault();
  link.click();
});
// The form of a dialog has been taken: the dialog has done its work. What a part of it asked for on the way is not that.
document.addEventListener('htmx:after:request', (event) => {
  const form = event.target instanceof Element && event.target.matches('form[data-closes-dialog]') ? event.target : null;
  if (form && event.detail.ctx.response.status < 400) form.closest('dialog')?.close();
});
// Dialogs that came with the page or were swapped in to stand open do so by themselves.
const openMarked = () => document.querySelectorAll('dialog[data-open]:not([open])').forEach((dialog) => {
  dialog.removeAttribute('data-open');
  openDialog(dialog);
});
document.addEventListener('htmx:after:swap', openMarked);
openMarked();
if (location.hash.length > 1) {
  const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (wanted instanceof HTMLDialogElement) openDialog(wanted, null);
}

/* Menus: one open at a time; Esc and a click elsewhere close them, arrows move inside. */
const menus = () => document.querySelectorAll('details[data-menu][open]');
// Fields whose arrows are their own: several lines, parts of a date, choices.
const OWN_ARROWS = 'select, textarea, input:not([type=search], [type=text]), input[list]';
let entering = null; // a menu that an arrow opened and that still fills

/** Move the focus inside a menu; one with nothing to choose has its sentence. */
function walk(menu, step) {
  const items = [...menu.querySelectorAll('.menu-list :is(a, button, input, select)')].filter((item) => item.offsetParent);
  const at = items.indexOf(document.activeElement);
  const next = at < 0 && step < 0 ? items.at(-1) : items[(at + step + items.length) % items.length];
  focusOn(next ?? menu.querySelector('.menu-list p'));
}

document.addEventListener('click', (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener('focusin', (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});
on('keydown', 'details[data-menu]', (event, menu) => {
  if (event.key === 'Escape' && menu.open) {
    event.stopPropagation();
    menu.open = false;
    menu.querySelector('summary').focus();
  }
  const narrowing = event.target.matches('[data-narrow]');
  if (narrowing && event.key === 'Enter' && !event.isComposing) {
    event.preventDefault();
    const hits = [...menu.querySelectorAll('.menu-item')].filter((item) => item.offsetParent);
    if (hits.length === 1) hits[0].click();
    else hits[0]?.focus();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.isComposing || event.target.matches(OWN_ARROWS)) return;
  event.preventDefault();
  if (!menu.open && menu.matches('[hx-get]')) entering = menu;
  menu.open = true;
  walk(menu, step);
});
// It may take a while until there is something to walk through, or to narrow.
document.addEventListener('htmx:after:swap', (event) => {
  const menu = event.detail?.ctx?.sourceElement;
  if (!menu?.matches('details[data-menu]')) return;
  menu.querySelector('[data-narrow]')?.dispatchEvent(new Event('input'));
  const waiting = [document.body, menu.querySelector('summary')].includes(document.activeElement);
  if (menu !== entering) return; // another one may be awaited
  entering = null;
  if (menu.open && waiting) walk(menu, 1);
});
// Long menus get a field that narrows them.
document.addEventListener('toggle', (event) => {
  const list = event.target instanceof HTMLDetailsElement && event.target.open ? event.target.querySelector('[data-filterable="yes"]') : null;
  if (!list || list.querySelector('[data-narrow]')) return;
  const field = document.createElement('input');
  field.type = 'search';
  field.className = 'form-control form-control-sm';
  field.dataset.narrow = '';
  field.setAttribute('aria-label', event.target.querySelector('summary').textContent.trim());
  field.addEventListener('input', () => {
    const wanted = field.value.trim().toLowerCase();
    for (const item of list.querySelectorAll('.menu-item')) item.hidden = !item.textContent.toLowerCase().includes(wanted);
  });
  list.prepend(field);
  field.focus();
}, true);

/* The sheet of phones is the rail; #nav in the address opens it without script. */
const rail = document.getElementById('nav');
let railOpener = null;

// As with a dialog, nothing behind the open sheet can be reached.
function sheet(open) {
  rail.classList.toggle('is-open', open);
  for (const part of rail.parentElement.children) part.inert = open && part !== rail && !part.matches('[data-nav-close]');
  document.querySelector('.skip')?.toggleAttribute('inert', open);
  if (open) rail.focus();
  else railOpener?.focus();
}

if (rail) {
  on('click', '[data-nav-open]', (event, link) => {
    event.preventDefault();
    railOpener = link;
    sheet(true);
  });
  on('click', '[data-nav-close]', (event) => {
    if (location.hash === '#nav') return;
    event.preventDefault();
    sheet(false);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !rail.classList.contains('is-open')) return;
    event.preventDefault();
    sheet(false);
  });
  matchMedia('(min-width: 768px)').addEventListener('change', () => {
    if (rail.classList.contains('is-open')) sheet(false);
  });
}

/* A drawer stands under its own address: Esc follows its closing link, and the focus goes back to the row. */
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open]') || menus().length) return;
  document.querySelector('[data-drawer] [data-drawer-close]')?.click();
});
