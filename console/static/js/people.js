/* Choosing one of many people: a field beside the list finds them by name, user name and Hangul initials. */
import { announce, eachLoad, make, text } from './dom.js';
import { initials } from './palette.js';

// Fewer are seen at a glance.
const MANY = 8;

/** Whether a person is meant by these words. */
function meant(option, wanted) {
  const name = option.text.toLowerCase().replaceAll(' ', '');
  return name.includes(wanted) || option.value.toLowerCase().includes(wanted) || initials(name).includes(wanted);
}

function narrow(select, all, wanted) {
  const chosen = select.value;
  const found = all.filter((option) => !wanted || option.value === '' || meant(option, wanted));
  select.replaceChildren(...found);
  const people = found.filter((option) => option.value !== '');
  select.value = wanted && people.length === 1 ? people[0].value : chosen;
  if (select.selectedIndex < 0) select.value = '';
  announce(text('found_people', { count: people.length }));
  if (select.value !== chosen) select.dispatchEvent(new Event('change', { bubbles: true }));
}

function extend(select) {
  select.removeAttribute('data-people');
  if (select.options.length < MANY) return;
  const all = [...select.options];
  const small = select.classList.contains('form-control-sm') ? ' form-control-sm' : '';
  const field = make('input', { class: `form-control people-search${small}`, type: 'search', autocomplete: 'off',
    placeholder: text('find_people'), 'aria-label': text('find_people'), 'aria-controls': select.id, 'data-quiet': true });
  field.addEventListener('input', (event) => {
    event.stopPropagation();
    if (!event.isComposing) narrow(select, all, field.value.trim().toLowerCase().replaceAll(' ', ''));
  });
  field.addEventListener('compositionend', () => narrow(select, all, field.value.trim().toLowerCase().replaceAll(' ', '')));
  field.addEventListener('change', (event) => event.stopPropagation());
  field.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') { event.preventDefault(); select.focus(); }
    // Enter goes on with the one that was found, and shows them when there are several.
    if (event.key === 'Enter' && select.value === '') { event.preventDefault(); event.stopPropagation(); select.focus(); }
  });
  select.before(field);
}

const extendAll = () => document.querySelectorAll('select[data-people]').forEach(extend);
eachLoad(extendAll);
document.addEventListener('ka:added', extendAll);
