/* An answer swaps what it replaces, but a form that somebody has touched stays as it is: its words, its caret, its
   files. What was stored meanwhile comes into the fields that nobody touched. */
import { fields, held, nameOf, put, stored, written } from './fields.js';

const swaps = new WeakMap();
const BUSY = 'form[data-dirty], form[data-touched]';

const isTouched = (form) => form.matches(BUSY) || (form.matches('[method=post]:not([data-inline-form], [data-taken])') && written(form).length > 0);

function within(target) {
  const found = typeof target === 'string' ? document.querySelector(target) : target;
  return found instanceof Element ? [...found.querySelectorAll('form[id]')].filter(isTouched) : [];
}

/** Take the forms that must not be swapped away out of the page; each leaves a place behind. */
function takeOut(tasks, sender) {
  const forms = new Set(tasks.filter(({ swapSpec }) => (swapSpec?.style ?? swapSpec) !== 'none').flatMap(({ target }) => within(target)));
  forms.delete(sender);
  return [...forms].map((form) => {
    const focus = form.contains(document.activeElement) ? document.activeElement : null;
    const caret = focus?.matches('textarea, input[type=text]') ? [focus.selectionStart, focus.selectionEnd] : null;
    const place = document.createElement('form');
    place.id = form.id;
    place.hidden = true;
    form.replaceWith(place);
    return { form, place, focus, caret };
  });
}

/** Bring what was stored meanwhile into the fields that nobody touched. The version stays the old one when somebody
    else stored what is being written here, so that saving shows both values instead of losing one. */
function renew(form, fresh) {
  if (form.matches('[data-refused]')) return;
  const theirs = new Map(fields(fresh).map((field) => [nameOf(field), field]));
  let clash = false;
  for (const field of fields(form)) {
    const other = theirs.get(nameOf(field));
    if (!other) continue;
    if (held(field) !== stored(field)) {
      clash ||= stored(field) !== stored(other);
      continue;
    }
    if (field.matches('select')) field.replaceChildren(...[...other.options].map((option) => option.cloneNode(true)));
    else if (field.matches('[type=checkbox], [type=radio]')) field.defaultChecked = other.defaultChecked;
    else field.defaultValue = other.defaultValue;
    put(field, stored(other));
  }
  for (const name of clash ? [] : ['version', 'due_was']) {
    const [mine, other] = [form.elements.namedItem(name), fresh.elements.namedItem(name)];
    if (mine && other) mine.value = other.value;
  }
}

/** Put a form back to its place; gives false when there is none any more. */
function putBack({ form, place, focus, caret }) {
  const fresh = document.getElementById(form.id);
  if (!fresh) return false;
  if (fresh !== place) renew(form, fresh);
  fresh.replaceWith(form);
  focus?.focus({ preventScroll: true });
  if (caret) focus.setSelectionRange(...caret);
  return true;
}

document.addEventListener('htmx:before:swap', (event) => {
  const { ctx, tasks } = event.detail;
  const source = ctx.sourceElement;
  const sender = source instanceof Element && ctx.request?.method !== 'GET' ? source.closest('form') : null;
  swaps.set(ctx, takeOut(tasks, sender));
});
for (const name of ['htmx:after:swap', 'htmx:finally:swap']) {
  document.addEventListener(name, (event) => {
    const { ctx } = event.detail;
    const kept = swaps.get(ctx) ?? [];
    swaps.delete(ctx);
    const left = kept.filter((one) => !putBack(one)).map(({ form }) => form);
    if (left.length) document.dispatchEvent(new CustomEvent('forms-left', { detail: { forms: left } }));
  });
}
