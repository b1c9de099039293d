/* The board: dragging and moving by key, editing in place, the sync that runs. */
import { announce, eachLoad, fill, on, text } from './dom.js';
import { partOf, wait } from './busy.js';
import { post, send, unknown } from './net.js';
import { showToast } from './toasts.js';
import { choose } from './list.js';
import './drawer.js';

const board = () => document.querySelector('[data-board]');
const columns = () => [...document.querySelectorAll('[data-column]')];
const say = (key, values) => fill(board()?.dataset[key] ?? '', values);

/* While something is held the list must not be swapped away under it; poll.js looks for data-hold. */
const hold = (element) => element.setAttribute('data-hold', '');
const release = (element) => {
  element.removeAttribute('data-hold');
  element.removeAttribute('hx-morph-skip');
};

/* Moving a card to another column. The card waits for its answer; until then it cannot be moved again. */
async function move(card, column) {
  const from = card.parentElement;
  const next = card.nextSibling;
  const status = column.dataset.column;
  if (column.contains(card) || card.matches('[aria-busy]')) return;
  const rest = [wait(card), wait(card.closest('[data-list]'))];
  hold(card);
  column.querySelector('.board-list').prepend(card);
  const back = () => (next?.parentElement === from ? from.insertBefore(card, next) : from.append(card));
  try {
    const address = card.querySelector('[data-open-item]').getAttribute('href').split('?')[0];
    const { ok, asked, said } = await post(address, { status, version: card.dataset.version, from: 'inline' });
    if (ok) {
      card.dataset.version = asked['tracker-changed']?.version ?? card.dataset.version;
      announce(say('sayMoved', { column: column.querySelector('h2').firstChild.textContent.trim() }));
      return;
    }
    back();
    if (!asked.toast) showToast({ message: said, kind: 'error' });
  } catch {
    back();
    showToast({ message: unknown('POST', { safe: true }), kind: 'error' });
  } finally {
    rest.forEach((end) => end());
    release(card);
    if (card.isConnected) choose(card);
  }
}

let dragged = null;
on('dragstart', '.board-card[draggable]', (event, card) => {
  if (card.matches('[aria-busy]')) {
    event.preventDefault();
    return;
  }
  dragged = card;
  hold(card);
  card.classList.add('is-dragging');
  event.dataTransfer.effectAllowed = 'move';
  event.dataTransfer.setData('text/plain', card.dataset.id);
});
on('dragend', '.board-card', (_event, card) => {
  dragged = null;
  if (!card.matches('[aria-busy]')) release(card);
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
  if (card.matches('[aria-busy]')) return;
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
  if (cell.kaBefore || cell.matches('[aria-busy]')) return;
  const rest = [wait(cell), wait(partOf(cell))];
  hold(cell);
  try {
    const { ok, body, said } = await send(`${link.getAttribute('href').split('?')[0]}/inline?field=${link.dataset.inline}`);
    if (!ok) throw new Error(said);
    const made = document.createElement('template');
    made.innerHTML = body;
    cell.kaBefore = [...cell.childNodes];
    cell.replaceChildren(made.content);
    cell.setAttribute('hx-morph-skip', ''); // a list that reads itself again leaves the field alone
    htmx.process(cell);
    cell.dispatchEvent(new CustomEvent('ka:added', { bubbles: true }));
    cell.querySelector('select, input:not([type=hidden])').focus();
  } catch (error) {
    release(cell);
    showToast({ message: error instanceof TypeError ? text('offline') : error.message, kind: 'error' });
  } finally {
    rest.forEach((end) => end());
  }
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
// What was typed stays until it is stored: refused, or without answer, the field waits for another try.
on('htmx:after:request', '[data-inline-form]', (event, form) => {
  const status = event.detail?.ctx?.response?.status;
  if (status < 400 || status === 409) leaveInline(form);
});

/* Chosen rows keep the list from being swapped under the hand. */
document.addEventListener('change', (event) => {
  const list = event.target.closest?.('[data-list]');
  if (!list) return;
  if (list.querySelector('[data-select]:checked')) hold(list);
  else release(list);
});
on('click', '[data-bulk-none]', (_event, button) => release(button.closest('[data-list]')));
// A worker has them: the selection has done its work.
document.addEventListener('bulk-begun', () => document.querySelector('[data-list] [data-bulk-none]')?.click());

/* A sync that has ended makes list and card read themselves again. */
let heard = null;
eachLoad(() => {
  const ended = document.querySelector('#sync[data-finished]')?.dataset.finished;
  if (!ended || ended === heard) return;
  heard = ended;
  document.body.dispatchEvent(new CustomEvent('tracker-changed', { bubbles: true }));
});
