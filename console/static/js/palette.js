/* The command palette: places and actions by words, by Hangul initial consonants, then records from the server. */
import { make, text } from './dom.js';
import { shortcut } from './keys.js';
import { mended } from './session.js';

const INITIALS = 'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ';
const search = document.getElementById('search');
let dialog, field, list, status, entries = [], found = [], at = 0, asked = 0;

/** Give the initial consonants of the syllables in a text; other characters stay. */
export function initials(words) {
  return [...words].map((letter) => {
    const code = letter.charCodeAt(0) - 0xac00;
    return code >= 0 && code < 11172 ? INITIALS[Math.floor(code / 588)] : letter;
  }).join('');
}

function score(entry, wanted) {
  if (!wanted) return 1;
  const label = entry.label.toLowerCase();
  if (label.startsWith(wanted)) return 4;
  if (label.includes(wanted)) return 3;
  if (initials(label).replaceAll(' ', '').includes(wanted.replaceAll(' ', ''))) return 2;
  return (entry.words ?? '').toLowerCase().includes(wanted) ? 1 : 0;
}

function mark(index) {
  at = Math.max(0, Math.min(index, found.length - 1));
  [...list.children].forEach((item, number) => item.setAttribute('aria-selected', String(number === at)));
  const chosen = list.children[at];
  field.setAttribute('aria-activedescendant', chosen?.id ?? '');
  chosen?.scrollIntoView({ block: 'nearest' });
}

function draw(records = []) {
  const wanted = field.value.trim().toLowerCase();
  found = entries.map((entry) => ({ ...entry, score: score(entry, wanted) })).filter((entry) => entry.score)
    .sort((one, other) => other.score - one.score).slice(0, 12).concat(records);
  list.replaceChildren(...found.map((entry, number) => make('li', { role: 'option', id: `palette-${number}`, 'data-number': number },
    entry.label, make('small', {}, entry.kind))));
  list.hidden = !found.length;
  field.setAttribute('aria-expanded', String(found.length > 0));
  status.textContent = found.length ? text('hits', { count: found.length }) : text('no_match');
  status.classList.toggle('visually-hidden', found.length > 0);
  mark(0);
}

async function ask() {
  const wanted = field.value.trim();
  const mine = ++asked;
  draw();
  if (wanted.length < 2) return;
  await new Promise((resolve) => { setTimeout(resolve, 250); });
  if (mine !== asked) return;
  const response = await fetch(`${dialog.dataset.source}?q=${encodeURIComponent(wanted)}`, { headers: { Accept: 'application/json' } });
  if (response.status === 401 && await mended(response)) return ask();
  if (response.ok && mine === asked) draw((await response.json()).entries);
}

function go() {
  const chosen = found[at];
  if (!chosen) return;
  dialog.close();
  location.assign(chosen.url);
}

function build() {
  field = make('input', { class: 'palette-input', type: 'text', role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'palette-list',
    'aria-autocomplete': 'list', 'aria-label': search?.placeholder, placeholder: search?.placeholder, autocomplete: 'off', spellcheck: 'false' });
  list = make('ul', { class: 'palette-list', role: 'listbox', id: 'palette-list', 'aria-label': search?.placeholder });
  status = make('p', { class: 'menu-body dim', role: 'status' });
  dialog = make('dialog', { class: 'dialog palette', id: 'palette', 'aria-label': search?.placeholder, 'data-source': '/palette' }, field, list, status);
  field.addEventListener('input', ask);
  field.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); mark(at + step); }
    if (event.key === 'Enter') { event.preventDefault(); go(); }
  });
  list.addEventListener('click', (event) => {
    const item = event.target.closest('[data-number]');
    if (item) { at = Number(item.dataset.number); go(); }
  });
  document.body.append(dialog);
}

async function open() {
  if (!search) return false;
  if (!dialog) build();
  const back = document.activeElement;
  field.value = '';
  dialog.showModal();
  dialog.addEventListener('close', () => back?.focus?.(), { once: true });
  field.focus();
  draw();
  if (!entries.length) {
    const response = await fetch(dialog.dataset.source, { headers: { Accept: 'application/json' } });
    if (response.ok) { entries = (await response.json()).entries; draw(); }
  }
  return true;
}

shortcut('mod+k', text('keys_palette'), () => { open(); });
// Inside the search field the palette opens as well.
search?.addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') { event.preventDefault(); open(); }
});
