/* Forms: no double submit, work shown at once, a warning before unsaved changes are lost, errors in focus. */
import { eachLoad, make, on, text } from './dom.js';

const busy = new Set();

function show(button) {
  if (!button?.matches('.btn, .menu-item')) return;
  button.classList.add('is-busy');
  button.setAttribute('aria-busy', 'true');
  busy.add(button);
}

function rest(form) {
  for (const button of busy) {
    if (form && form !== button.form && form !== button) continue;
    button.classList.remove('is-busy');
    button.removeAttribute('aria-busy');
    busy.delete(button);
  }
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented && !form.matches('[hx-post], [hx-get], [hx-put], [hx-patch], [hx-delete]')) return;
  if (form.dataset.sent === 'yes') {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  if (form.method === 'dialog') return;
  // What opens beside the page leaves the form as it is: to be sent again, and still to be saved.
  if ((event.submitter?.formTarget || form.target) === '_blank') return;
  if (form.method === 'post') form.dataset.sent = 'yes';
  form.kaWasDirty = form.hasAttribute('data-dirty');
  form.removeAttribute('data-dirty');
  show(event.submitter);
  if (form.method === 'post' && !htmxForm(form)) tell('form-sent', form);
}, true);

/* Without a signal a plain form would leave for the browser's own error page: it stays, with its words. */
addEventListener('submit', (event) => {
  const form = event.target;
  if (navigator.onLine || event.defaultPrevented || form.method !== 'post' || htmxForm(form)) return;
  event.preventDefault();
  delete form.dataset.sent;
  if (form.kaWasDirty) form.setAttribute('data-dirty', '');
  rest(form);
  tell('form-held', form);
  form.querySelector('[data-held]')?.remove();
  const said = make('p', { class: 'notice notice-late', role: 'alert', 'data-held': true }, text('held'));
  (form.querySelector('.dialog-body') ?? form).append(said);
});

const htmxForm = (form) => form.matches('[hx-post], [hx-get], [hx-put], [hx-patch], [hx-delete]');
const tell = (name, form) => document.dispatchEvent(new CustomEvent(name, { detail: { form } }));

const done = (event) => {
  const form = event.target instanceof Element ? event.target.closest('form') : null;
  if (form) {
    delete form.dataset.sent;
    if (form.kaWasDirty && event.detail?.ctx?.sourceElement === form && !taken(event.detail.ctx)) form.setAttribute('data-dirty', '');
  }
  rest(form ?? undefined);
};

/* What was taken is no draft any more, and the next sending of the form is another one (heard before the answer is
   swapped in); what was refused or got no answer is still to be saved. */
const taken = (ctx) => ctx.response?.status < 400;
on('htmx:after:request', 'form', (event, form) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement !== form || ctx.request.method === 'GET' || !taken(ctx)) return;
  tell('form-taken', form);
  form.setAttribute('data-taken', ''); // until somebody writes into it again
  const once = form.elements.namedItem('once');
  if (once) once.value = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
});
document.addEventListener('htmx:finally:request', done);
function again() {
  document.querySelectorAll('form[data-sent]').forEach((form) => delete form.dataset.sent);
  rest();
}
// A page that comes back from the browser's cache must not look busy.
addEventListener('pageshow', again);
// Downloads and requests by link show work as well.
on('click', '.btn[hx-post], .btn[hx-delete], .btn[hx-patch], .btn[hx-put]', (_event, button) => show(button));
document.addEventListener('htmx:finally:request', (event) => {
  if (busy.has(event.target)) rest(event.target);
});

/* Unsaved changes */
on('input', 'form[method="post"]:not([data-quiet])', (event, form) => {
  form.removeAttribute('data-taken');
  if (!event.target.matches('[type=search], [data-quiet]')) form.setAttribute('data-dirty', '');
});
addEventListener('beforeunload', (event) => {
  if (![...document.querySelectorAll('form[data-dirty]')].some((form) => form.offsetParent)) return;
  event.preventDefault();
  event.returnValue = text('unsaved');
  setTimeout(again, 300); // runs on for those who chose to stay
});

/* A word that must be typed keeps its button shut until it is right */
on('input', '[data-typed]', (_event, field) => {
  const button = field.form?.querySelector('button[type=submit]');
  if (button) button.disabled = field.value.trim() !== field.dataset.typed;
});

/* Errors: the summary takes the focus, on the first page and after a swap */
const summary = () => document.querySelector('[data-error-summary]')?.focus();
summary();
document.addEventListener('htmx:after:swap', (event) => {
  if ([409, 422].includes(event.detail?.ctx?.response?.status)) summary();
});
// A form that came back with errors holds what was typed, and is still to be saved.
eachLoad((root) => root.querySelectorAll('form[method="post"] [data-error-summary]').forEach((errors) => {
  const form = errors.closest('form');
  if (form.matches('[data-quiet]')) return;
  form.setAttribute('data-dirty', '');
  form.setAttribute('data-refused', '');
}));

/* Copy what stands in an element */
on('click', '[data-copy]', async (_event, button) => {
  const source = document.getElementById(button.dataset.copy);
  const words = source?.value ?? source?.textContent ?? '';
  await navigator.clipboard.writeText(words.trim());
  document.dispatchEvent(new CustomEvent('toast', { detail: { message: text('copied') } }));
});
