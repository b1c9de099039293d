/* Shortcuts: a registry by key; silent inside fields and dialogs; can be switched off. */
import { config, make, on, text } from './dom.js';
import { openDialog } from './dialogs.js';
import { showToast, undoLast } from './toasts.js';

const OFF = 'ka-keys-off';
const shortcuts = new Map();

/** Register a key; `run` gives false when it has nothing to do, `label` is the words of the list of keys. */
export function shortcut(key, label, run) {
  shortcuts.set(key, { label, run });
}

const off = () => localStorage.getItem(OFF) === '1';

// The box of a row is no field to write in: with the focus on it the keys work as on its row.
const FIELDS = 'input:not([data-select], [data-select-page]), select, textarea, [contenteditable="true"], dialog[open], [role="listbox"]';
const elsewhere = (target) => target instanceof Element && target.closest(FIELDS) !== null;

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.isComposing || event.altKey || elsewhere(event.target)) return;
  const combined = event.ctrlKey || event.metaKey;
  // With a Korean keyboard the letters arrive as jamo; the place of the key is what counts.
  const letter = /^Key[A-Z]$/.test(event.code) ? event.code.slice(3).toLowerCase() : event.key;
  const named = event.shiftKey && /^[a-z]$/.test(letter) ? letter.toUpperCase() : letter;
  const key = combined ? `mod+${named}` : named;
  const found = shortcuts.get(key);
  if (!found || (off() && !combined)) return;
  if (found.run(event) !== false) event.preventDefault();
});

function help() {
  let dialog = document.getElementById('keys');
  if (!dialog) {
    const rows = [...shortcuts].flatMap(([key, { label }]) => [
      make('span', {}, ...key.split('+').map((part) => make('kbd', {}, part === 'mod' ? (/Mac/.test(navigator.platform) ? '⌘' : 'Ctrl') : part.length === 1 ? part.toUpperCase() : part))),
      make('span', {}, label),
    ]);
    const toggle = make('button', { class: 'btn', type: 'button', 'data-keys-toggle': true }, '');
    dialog = make('dialog', { class: 'dialog', id: 'keys', 'aria-labelledby': 'keys-title' },
      make('div', { class: 'dialog-head' }, make('h2', { id: 'keys-title' }, text('keys_title'))),
      make('div', { class: 'dialog-body' }, make('div', { class: 'keys' }, ...rows)),
      make('div', { class: 'dialog-foot' }, toggle, make('button', { class: 'btn', type: 'button', 'data-dialog-close': true }, text('close'))));
    document.body.append(dialog);
  }
  dialog.querySelector('[data-keys-toggle]').textContent = text(off() ? 'keys_switch_on' : 'keys_switch_off');
  openDialog(dialog);
}

shortcut('?', text('keys_help'), help);
shortcut('/', text('keys_search'), () => {
  const field = document.querySelector('.filter-search input') ?? document.getElementById('search');
  if (!field?.offsetParent) return false;
  field.focus();
  field.select();
  return true;
});
// A key that is held down takes back one thing, not all of them.
shortcut('mod+z', text('keys_undo'), (event) => event.repeat || undoLast());
on('click', '[data-keys-help]', help);
on('click', '[data-keys-toggle]', (_event, button) => {
  localStorage.setItem(OFF, off() ? '0' : '1');
  button.closest('dialog').close();
  showToast({ message: text(off() ? 'keys_off' : 'keys_on') });
});
document.querySelectorAll('[data-keys-help]').forEach((button) => { button.hidden = !config.texts.keys_title; });
