/* The board: dragging and moving by key, editing in place, the sync that runs. */
import { announce, eachLoad, fill, on, post, text } from './dom.js';
import { showToast } from './toasts.js';
import { choose } from './list.js';
import './drawer.js';

const board = () => document.querySelector('[data-board]');
const columns = () => [...document.querySelectorAll('[data-column]')];
const say = (key, values) => fill(board()?.dataset[key] ?? '', values);
const headers = { 'HX-Request': 'true', 'HX-Request-Type': 'partial', Accept: 'text/html' };

/* While something is held the list must not be swapped away under it; poll.js looks for data-hold. */
const hold = (element) => element.setAttribute('data-hold', '');
const release = (element) => element.removeAttribute('data-hold');

/** Dispatch what an answer asks for, as htmx does for its own requests. */
function hear(response) {
  const asked = JSON.parse(response.headers.get('HX-Trigger') || '{}');
  for (const [name, detail] of Object.entries(asked)) {
    document.body.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
  return asked;
}

/* Moving a card to another column. */
async function move(card, column) {
  const from = card.parentElement;
  const next = card.nextSibling;
  const status = column.dataset.column;
  if (column.contains(card)) return;
  column.querySelector('.board-list').prepend(card);
  announce(say('sayMoved', { column: column.querySelector('h2').firstChild.textContent.trim() }));
  try {
    const address = card.querySelector('[data-open-item]').getAttribute('href').split('?')[0];
    const response = await post(address, { status, version: card.dataset.version, from: 'inline' });
    const asked = hear(response);
    if (response.ok) return;
    from.insertBefore(card, next);
    if (!asked.toast) showToast({ message: text('failed'), kind: 'error' });
  } catch {
    from.insertBefore(card, next);
    showToast({ message: text('offline'), kind: 'error' });
  } finally {
    if (card.isConnected) choose(card);
  }
}

let dragged = null;
on('dragstart', '.board-card[draggable]', (event, card) => {
  dragged = card;
  hold(card);
  card.classList.add('is-dragging');
  event.dataTransfer.effectAllowed = 'move';
  event.dataTransfer.setData('text/plain', card.dataset.id);
});
on('dragend', '.board-card', (_event, card) => {
  dragged = null;
  release(card);
  card.classList.remove('is-dragging');
  columns().forEach((column) => column.classList.remove('is-over'));
});
on('dragover', '[data-column]', (event, column) => {
  if (!dragged) return;
  event.preventDefault();
  columns().forEach((one) => one.classList.toggle('is-over', one === column && !column.contains(dragged)));
});
on('drop', '[data-column]', (event, column) => {
  if (!dragged) return;
  event.preventDefault();
  move(dragged, column);
});

/* The same by keyboard: the arrows choose a column, Enter drops, Esc leaves everything as it was. */
let moving = null;

function leaveMoving() {
  if (!moving) return;
  release(moving.card);
  moving.card.classList.remove('is-moving');
  columns().forEach((column) => column.classList.remove('is-over'));
  moving = null;
}

function aim(index) {
  const all = columns();
  moving.at = Math.max(0, Math.min(index, all.length - 1));
  all.forEach((column, number) => column.classList.toggle('is-over', number === moving.at));
  all[moving.at].scrollIntoView({ block: 'nearest', inline: 'nearest' });
  announce(all[moving.at].querySelector('h2').textContent.trim());
}

on('click', '[data-move]', (_event, button) => {
  const card = button.closest('.board-card');
  leaveMoving();
  moving = { card, at: columns().indexOf(card.closest('[data-column]')) };
  hold(card);
  card.classList.add('is-moving');
  choose(card);
  announce(say('sayMove', {}));
});
document.addEventListener('keydown', (event) => {
  if (!moving) return;
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (step) aim(moving.at + step);
  else if (event.key === 'Enter') {
    const { card, at } = moving;
    leaveMoving();
    move(card, columns()[at]);
  } else if (event.key === 'Escape') {
    leaveMoving();
    announce(text('cancel'));
  } else return;
  event.preventDefault();
  event.stopPropagation();
}, true);
document.addEventListener('click', (event) => {
  if (moving && !event.target.closest('[data-move]')) leaveMoving();
});

/* Editing in place: the field comes from the server, Enter saves, Esc brings back what was there. */
function leaveInline(form, { focus = true } = {}) {
  const cell = form.closest('[data-hold]');
  if (!cell?.kaBefore) return;
  cell.replaceChildren(...cell.kaBefore);
  delete cell.kaBefore;
  release(cell);
  if (focus) cell.querySelector('[data-inline]')?.focus();
}

on('click', '[data-inline]', async (event, link) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const cell = link.closest('td, .board-card-foot');
  const address = `${link.getAttribute('href').split('?')[0]}/inline?field=${link.dataset.inline}`;
  const response = await fetch(address, { headers }).catch(() => null);
  if (!response?.ok) {
    showToast({ message: text(response ? 'failed' : 'offline'), kind: 'error' });
    return;
  }
  const made = document.createElement('template');
  made.innerHTML = await response.text();
  cell.kaBefore = [...cell.childNodes];
  hold(cell);
  cell.replaceChildren(made.content);
  htmx.process(cell);
  cell.dispatchEvent(new CustomEvent('ka:added', { bubbles: true }));
  cell.querySelector('select, input:not([type=hidden])').focus();
});
on('click', '[data-inline-leave]', (_event, button) => leaveInline(button.closest('form')));
on('keydown', '[data-inline-form]', (event, form) => {
  if (event.isComposing) return;
  if (event.key === 'Escape') {
    event.preventDefault();
    event.stopPropagation();
    leaveInline(form);
  }
  if (event.key === 'Enter' && event.target.matches('select, input')) {
    event.preventDefault();
    form.requestSubmit();
  }
});
on('htmx:after:request', '[data-inline-form]', (event, form) => {
  if (event.detail?.ctx?.response?.status !== 422) leaveInline(form);
});

/* Chosen rows keep the list from being swapped under the hand. */
document.addEventListener('change', (event) => {
  const list = event.target.closest?.('[data-list]');
  if (!list) return;
  if (list.querySelector('[data-select]:checked')) hold(list);
  else release(list);
});
on('click', '[data-bulk-none]', (_event, button) => release(button.closest('[data-list]')));

/* A sync that has ended makes list and card read themselves again. */
let heard = null;
eachLoad(() => {
  const ended = document.querySelector('#sync[data-finished]')?.dataset.finished;
  if (!ended || ended === heard) return;
  heard = ended;
  document.body.dispatchEvent(new CustomEvent('tracker-changed', { bubbles: true }));
});
