/* Lists: rows by keyboard, selection with the bulk bar, the count said aloud, menus and focus kept across a swap. */
import { announce, eachLoad, focusOn, on, text } from './dom.js';
import { shortcut } from './keys.js';

const rows = () => [...document.querySelectorAll('[data-row]')].filter((row) => row.offsetParent !== null);
const current = () => document.querySelector('[data-row].is-current');

/** Make a row the current one; it is what e, a, m, x and Enter work on. */
export function choose(row) {
  current()?.classList.remove('is-current');
  if (!row) return;
  row.classList.add('is-current');
  row.setAttribute('tabindex', '-1');
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: 'nearest' });
}

function move(step) {
  const all = rows();
  if (!all.length) return false;
  const at = all.indexOf(document.activeElement.closest('[data-row]') ?? current());
  choose(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(at + step, all.length - 1))]);
  return true;
}

function press(selector) {
  const target = current()?.querySelector(selector);
  if (!target) return false;
  if (target.matches('select, input:not([type=checkbox])')) target.focus();
  else target.click();
  return true;
}

/** The bar of the chosen rows, while there are any. */
const openBar = () => [...document.querySelectorAll('[data-bulk]')].find((one) => one.checkVisibility());

/** With rows chosen a key acts on all of them, as far as the bar has a button for it; else on the current row. */
function act(key) {
  const button = openBar()?.querySelector(`[data-key="${key}"]`);
  if (!button) return press(`[data-key="${key}"]`);
  button.click();
  return true;
}

shortcut('j', text('keys_next'), () => move(1));
shortcut('k', text('keys_previous'), () => move(-1));
shortcut('x', text('keys_select'), () => press('[data-select]'));
shortcut('Enter', text('keys_open'), (event) => (event.target.matches('a, button, summary, input') ? false : press('a.cell-title, a.board-card-title')));
shortcut('e', text('keys_edit'), () => press('[data-key="e"]'));
shortcut('a', text('keys_assign'), () => act('a'));
shortcut('m', text('keys_move'), () => act('m'));
shortcut('b', text('keys_bulk'), () => {
  const first = openBar()?.querySelector('a, button');
  first?.focus();
  return Boolean(first);
});
// Esc leaves the bar for the row that one came from.
on('keydown', '[data-bulk]', (event, bar) => {
  if (event.key !== 'Escape') return;
  event.preventDefault();
  choose(current() ?? scopeOf(bar).querySelector('[data-row].is-selected'));
}, true);
shortcut('c', text('keys_create'), () => {
  const button = document.querySelector('[data-key="c"]');
  button?.click();
  return Boolean(button);
});

/* Selection. The bulk form sends ids, or the filter itself once all matching rows are chosen. */
const scopeOf = (element) => element.closest('[data-list]');

function refresh(list) {
  const bar = list.querySelector('[data-bulk]');
  const boxes = [...list.querySelectorAll('[data-select]')];
  const chosen = boxes.filter((box) => box.checked);
  for (const box of boxes) box.closest('[data-row]')?.classList.toggle('is-selected', box.checked);
  const page = list.querySelector('[data-select-page]');
  if (page) {
    page.checked = boxes.length > 0 && chosen.length === boxes.length;
    page.indeterminate = chosen.length > 0 && !page.checked;
  }
  if (!bar) return;
  const all = list.dataset.all === 'yes';
  bar.hidden = chosen.length === 0 && !all;
  const count = all ? Number(bar.dataset.total) : chosen.length;
  bar.querySelector('[data-bulk-count]').textContent = text(all ? 'all_selected' : 'selected', { count });
  bar.querySelector('[data-bulk-all]')?.setAttribute('aria-pressed', String(all));
  const csv = bar.querySelector('[data-bulk-csv]');
  if (csv) {
    const address = new URL(csv.href);
    address.searchParams.delete('ids');
    for (const box of all ? [] : chosen) address.searchParams.append('ids', box.value);
    csv.href = address;
  }
}

/** Show a selection that somebody changed, and say how many rows it has. */
function changed(list) {
  refresh(list);
  const said = list.querySelector('[data-bulk-count]');
  if (said) announce(said.textContent);
}

let lastBox = null;
on('click', '[data-select]', (event, box) => {
  const list = scopeOf(box);
  if (event.shiftKey && lastBox?.isConnected) {
    const boxes = [...list.querySelectorAll('[data-select]')];
    const [from, to] = [boxes.indexOf(lastBox), boxes.indexOf(box)].sort((one, other) => one - other);
    for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
  }
  lastBox = box;
  if (!box.checked) delete list.dataset.all;
  changed(list);
});
on('change', '[data-select-page]', (_event, page) => {
  const list = scopeOf(page);
  for (const box of list.querySelectorAll('[data-select]')) box.checked = page.checked;
  if (!page.checked) delete list.dataset.all;
  changed(list);
});
on('click', '[data-bulk-all]', (_event, button) => {
  const list = scopeOf(button);
  const all = list.dataset.all !== 'yes';
  if (all) list.dataset.all = 'yes';
  else delete list.dataset.all;
  for (const box of list.querySelectorAll('[data-select]')) box.checked = all || box.checked;
  changed(list);
});
on('click', '[data-bulk-none]', (_event, button) => {
  const list = scopeOf(button);
  delete list.dataset.all;
  for (const box of list.querySelectorAll('[data-select]')) box.checked = false;
  changed(list);
});

/** Give what a bulk request must carry: `ids`, or `all=1` with the list's query. */
export function selection(list) {
  if (list.dataset.all === 'yes') return [['all', '1'], ['query', list.dataset.query.slice(1)]];
  return [...list.querySelectorAll('[data-select]:checked')].map((box) => ['ids', box.value]);
}

// Forms and buttons marked data-bulk-form get the selection at the last moment.
document.addEventListener('htmx:config:request', (event) => {
  const source = event.target instanceof Element ? event.target.closest('[data-bulk-form]') : null;
  const list = source && (document.querySelector(source.dataset.bulkForm || 'none') ?? scopeOf(source));
  if (!list) return;
  const { body } = event.detail.ctx.request;
  for (const name of ['ids', 'all', 'query']) body.delete(name);
  for (const [name, value] of selection(list)) body.append(name, value);
});
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!form.matches('[data-bulk-form]:not([hx-post])')) return;
  const list = document.querySelector(form.dataset.bulkForm || 'none') ?? scopeOf(form);
  form.querySelectorAll('[data-added]').forEach((field) => field.remove());
  for (const [name, value] of list ? selection(list) : []) {
    const field = Object.assign(document.createElement('input'), { type: 'hidden', name, value });
    field.dataset.added = '';
    form.append(field);
  }
}, true);

/* Across a swap: menus stay open, the current row stays current, the focus stays where it was or as near as can be. */
let open = [];
let marked = null;
let held = null;
let answers = false;

// Where the focus is, in words that outlive a swap: its id, its menu, its row, its list.
function placeOf(element) {
  const list = element?.closest('[data-list]');
  if (!list) return null;
  const menu = element.closest('details[data-menu]') ?? element.closest('.chip-split')?.querySelector('details[data-menu]');
  return {
    element,
    id: element.id,
    menu: menu?.id,
    row: element.closest('[data-row]')?.dataset.id,
    column: element.closest('[data-column]')?.id,
    last: element.matches('[data-more]') ? [...element.closest('[data-column]').querySelectorAll('[data-row]')].at(-1)?.dataset.id : null,
    list: list.id,
  };
}

const rowOf = (id) => document.querySelector(`[data-row][data-id="${CSS.escape(id)}"]`);

// A morph makes the row of another record of an element as it likes: what stays is what still stands in its own row.
const stays = (place, element) => element?.offsetParent && element.closest('[data-row]')?.dataset.id === place.row;

function find(place) {
  const own = [place.element, place.id && document.getElementById(place.id)].find((one) => one && stays(place, one));
  if (own) return own;
  const menu = place.menu && document.getElementById(place.menu);
  if (menu) return menu.querySelector('summary');
  const row = place.row ? rowOf(place.row) : place.last && rowOf(place.last)?.nextElementSibling; // the first that came
  const column = place.column && document.querySelector(`#${CSS.escape(place.column)} h2`);
  return row || column || document.getElementById(place.list);
}

document.addEventListener('htmx:before:swap', (event) => {
  const { activeElement: active } = document;
  if (active !== document.body) held = placeOf(active); // another swap may be under way
  // A list that reads itself again, or a menu that fills, says nothing: only what somebody asked for is answered.
  answers = Boolean(event.detail?.ctx?.sourceElement?.matches('a, button, form'));
  open = [...document.querySelectorAll('[data-list] details[data-menu][open]')].map((menu) => menu.id).filter(Boolean);
  marked = current()?.dataset.id ?? null;
});
document.addEventListener('htmx:after:swap', (event) => {
  for (const id of open) {
    const menu = document.getElementById(id);
    if (menu) menu.open = true;
  }
  if (marked !== null && !current()) rowOf(marked)?.classList.add('is-current');
  // A row that was given the focus loses its tabindex to a morph, and the focus a moment later.
  const { activeElement: active } = document;
  const lost = active === document.body || (active === held?.element && (active.tabIndex < 0 || !stays(held, active)));
  if (held && lost) focusOn(find(held));
  held = null;
  const list = answers && document.getElementById(event.detail?.ctx?.target?.id);
  if (list && list.matches('[data-list][data-announce]')) announce(list.dataset.announce);
});
eachLoad((root) => root.querySelectorAll('[data-list]').forEach(refresh));
