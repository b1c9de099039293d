/* The evidence panel: files by drop, choice or camera, pictures made smaller, one request per file with its progress. */
import { announce, csrf, eachLoad, fill, make, on } from './dom.js';
import { refusal } from './net.js';
import { enclose, scaled, size } from './photo.js';
import { mended } from './session.js';
import { showToast } from './toasts.js';

// Refused for what the file is: too large, of a kind that is not taken, with a virus.
const FINAL = new Set([413, 415, 422]);
const queues = new WeakMap();

const words = (form) => JSON.parse(form.dataset.texts);
const waiting = (form) => (queues.get(form) ?? []).filter((entry) => !entry.fault && !entry.sent);
/* A report sends its files first; it follows itself when all of them have arrived. */
const isReport = (form) => form.matches('[data-report]');

function fault(form, file) {
  const said = words(form);
  if (!file.size) return said.empty;
  return file.size > Number(form.dataset.max) ? said.too_large : null;
}

function say(entry, sentence, state = '') {
  entry.state.textContent = sentence;
  entry.line.dataset.state = state;
}

function refresh(form) {
  const said = words(form);
  const all = queues.get(form) ?? [];
  const number = waiting(form).length;
  form.querySelector('[data-queue]').hidden = all.length === 0;
  form.toggleAttribute('data-touched', all.length > 0);
  const sendWords = form.querySelector('[data-send-words]');
  if (sendWords) sendWords.textContent = number > 1 ? fill(said.send, { count: number }) : said.send_one;
  form.querySelector('[data-send]').disabled = (number === 0 && !isReport(form)) || form.dataset.busy === 'yes';
}

function leaveOut(form, entry) {
  queues.set(form, queues.get(form).filter((other) => other !== entry));
  entry.line.remove();
  refresh(form);
  form.querySelector('[data-pick]').focus();
}

async function add(form, files, atOnce = false) {
  const said = words(form);
  const queue = form.querySelector('[data-queue]');
  for (const original of files) {
    const state = make('span', { class: 'small muted' }, '');
    const bar = make('progress', { class: 'k-progress', max: '100', value: '0', 'aria-label': original.name, hidden: true });
    const out = make('button', { class: 'btn btn-sm btn-icon', type: 'button', 'aria-label': fill(said.leave_out, { name: original.name }) }, '×');
    const line = make('li', { class: 'evidence-waiting' }, make('span', { class: 'strong evidence-name' }, original.name), state, out, bar);
    const entry = { file: original, told: null, line, state, bar, out, fault: null, sent: false };
    out.addEventListener('click', () => leaveOut(form, entry));
    queues.set(form, [...(queues.get(form) ?? []), entry]);
    queue.append(line);
    refresh(form);
    entry.ready = prepare(form, entry, original);
    await entry.ready;
  }
  if (isReport(form)) form.elements.note.focus();
  else if (atOnce && form.dataset.busy !== 'yes') {
    form.scrollIntoView({ block: 'center' });
    await sendAll(form);
  }
}

async function prepare(form, entry, original) {
  say(entry, words(form).scaling);
  Object.assign(entry, await scaled(original, 'keepsPlace' in form.dataset));
  entry.fault = fault(form, entry.file);
  const told = entry.told ? fill(words(form).shrunk, { size: size(entry.file.size) }) : size(entry.file.size);
  say(entry, entry.fault ?? told, entry.fault ? 'fault' : '');
  if (entry.fault) announce(`${original.name}: ${entry.fault}`);
  refresh(form);
}

/** What the server said about the content of a file: sending it again would say the same. */
class Refused extends Error {}

/** Send one file; gives the answer's text, or throws what a person can read. After an ended session the person signs in
    over the page, and the file is sent once more. */
function send(form, entry, again = true) {
  const said = words(form);
  return new Promise((done, refuse) => {
    const request = new XMLHttpRequest();
    request.open('POST', form.dataset.upload ?? form.getAttribute('action'));
    request.setRequestHeader('X-CSRFToken', csrf());
    request.setRequestHeader('HX-Request', 'true');
    request.setRequestHeader('HX-Request-Type', 'partial');
    request.upload.addEventListener('progress', (event) => {
      if (!event.lengthComputable) return;
      entry.bar.value = Math.round(100 * event.loaded / event.total);
      say(entry, event.loaded < event.total ? `${said.sending} ${entry.bar.value} %` : said.checking);
    });
    request.addEventListener('load', () => {
      const { status, responseText } = request;
      const answer = new DOMParser().parseFromString(responseText, 'text/html');
      if (status < 300 && answer.querySelector('[data-evidence]')) {
        const told = JSON.parse(request.getResponseHeader('HX-Trigger') || '{}').toast;
        done({ answer, told });
        return;
      }
      const headers = new Headers({ 'X-Error-Code': request.getResponseHeader('X-Error-Code') ?? '' });
      (again ? mended({ status, headers }) : Promise.resolve(false)).then((sendAgain) => {
        if (sendAgain) send(form, entry, false).then(done, refuse);
        else refuse(new (FINAL.has(status) ? Refused : Error)(refusal({ status }, responseText)));
      });
    });
    for (const lost of ['error', 'timeout']) request.addEventListener(lost, () => refuse(new Error(said.offline)));
    const body = new FormData();
    if (!isReport(form)) body.append('note', form.elements.note.value);
    enclose(body, entry);
    request.send(body);
  });
}

function show(form, answer) {
  const panel = form.closest('[data-evidence]');
  if (!panel) return;
  for (const part of ['[data-evidence-files]', '[data-evidence-count]']) {
    panel.querySelector(part).replaceWith(document.importNode(answer.querySelector(part), true));
  }
  globalThis.htmx?.process(panel.querySelector('[data-evidence-files]'));
}

async function sendAll(form) {
  const said = words(form);
  form.dataset.busy = 'yes';
  refresh(form);
  let added = 0;
  for (const entry of waiting(form)) {
    await entry.ready;
    if (entry.fault) continue;
    entry.bar.hidden = false;
    entry.out.hidden = true;
    try {
      const { answer, told } = await send(form, entry);
      entry.sent = true;
      if (told) showToast(told); // the very file is there already
      else added += 1;
      queues.set(form, queues.get(form).filter((other) => other !== entry));
      entry.line.remove();
      show(form, answer);
    } catch (error) {
      entry.bar.hidden = true;
      entry.out.hidden = false;
      if (error instanceof Refused) entry.fault = error.message;
      say(entry, error.message, 'fault');
      announce(`${entry.file.name}: ${error.message}`);
    }
  }
  delete form.dataset.busy;
  refresh(form);
  if (isReport(form)) {
    if (!queues.get(form).length) form.requestSubmit(form.querySelector('[data-send]'));
    return;
  }
  if (!added) return;
  if (!waiting(form).length) form.elements.note.value = '';
  showToast({ message: fill(said.added, { count: added }) });
  document.body.dispatchEvent(new CustomEvent('tracker-changed', { detail: {}, bubbles: true }));
}

const isPanel = (target) => target instanceof Element && target.closest('[data-evidence-form]');

// Before the handler that marks plain forms as sent.
addEventListener('submit', (event) => {
  const form = isPanel(event.target);
  if (!form || (isReport(form) && !queues.get(form)?.length && form.dataset.busy !== 'yes')) return;
  event.preventDefault();
  event.stopPropagation();
  if (form.dataset.busy === 'yes') return;
  if (waiting(form).length) sendAll(form);
  else queues.get(form)?.[0]?.out.focus(); // what was refused is left out first
}, true);
on('change', '[data-pick]', (_event, field) => {
  const files = [...field.files];
  field.value = '';
  const atOnce = 'sends' in field.dataset;
  delete field.dataset.sends;
  if (files.length) add(field.form, files, atOnce);
});
/* A button elsewhere on the page opens the camera or the choice of a panel; some send what was taken at once, because
   the panel is out of sight. */
on('click', '[data-picks]', (event, button) => {
  const field = document.getElementById(button.dataset.picks);
  if (!field) return;
  event.preventDefault();
  field.toggleAttribute('data-sends', 'sends' in button.dataset);
  field.click();
});
/* A panel takes files, and the whole drawer those of its own; beside them nothing happens, least of all does the browser
   open one instead of the page. */
function takesFiles(target) {
  if (!(target instanceof Element)) return null;
  const panel = target.closest('[data-evidence]') ?? target.closest('[data-drawer]')?.querySelector('[data-evidence]');
  return panel?.querySelector('[data-evidence-form]');
}
for (const type of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  document.addEventListener(type, (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    const form = takesFiles(event.target);
    const over = type === 'dragenter' || type === 'dragover';
    if (type !== 'dragleave') event.preventDefault();
    if (!form) {
      if (over) event.dataTransfer.dropEffect = 'none';
      return;
    }
    form.querySelector('[data-drop]').classList.toggle('is-over', over);
    if (type === 'drop' && event.dataTransfer.files.length) add(form, [...event.dataTransfer.files]);
  });
}
addEventListener('beforeunload', (event) => {
  if (document.querySelector('[data-evidence-form][data-busy]')) event.preventDefault();
});
eachLoad((root) => root.querySelectorAll('[data-evidence-form]').forEach(refresh));
