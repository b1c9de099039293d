/* Rounds that are finished on this phone: sent once, in their order, as soon as there is a signal and their person is
   signed in. What was refused waits to be corrected; nothing is thrown away by itself. */
import { csrf, fill, make, text } from './dom.js';
import { ask } from './dialogs.js';
import { refusal } from './net.js';
import { enclose } from './photo.js';
import { mended } from './session.js';
import { forget, instant, mine, noteUnsent, photosOf, put, remove } from './roundstore.js';

const EVERY = 15_000;
const SENT_SHOWN = 24 * 3_600_000;
const HEADERS = { Accept: 'application/json', 'HX-Request': 'true', 'HX-Request-Type': 'partial' };
const LOCK = 'ka-rounds';
const PHOTOS = '/inspections/rounds/photos';
/* One tab sends; the one in which the round was finished waits to hear of it. */
const tabs = 'BroadcastChannel' in window ? new BroadcastChannel(LOCK) : null;

function heard(type, detail) {
  document.dispatchEvent(new CustomEvent(type, { detail }));
}

function tell(type, detail) {
  heard(type, detail);
  tabs?.postMessage({ type, detail });
}

function post(address, body, more) {
  return fetch(address, { method: 'POST', body, headers: { ...HEADERS, ...more, 'X-CSRFToken': csrf() } });
}

/** Send something of the queue; after an ended session the person is asked to sign in only if they pressed a button.
    Gives the answer, or null while it has to wait, with why. */
async function deliver(address, body, byPerson, more = {}) {
  let response;
  try {
    response = await post(address, body, more);
    if ((byPerson || response.status === 400) && await mended(response)) response = await post(address, body, more);
  } catch {
    return { response: null, why: 'waiting' };
  }
  if (response.status === 401 || response.headers.get('X-Error-Code') === 'csrf_failed') return { response: null, why: 'signed_out' };
  if (response.status === 429 || response.status >= 500) return { response: null, why: 'waiting' };
  return { response, why: '' };
}

async function sendRound(round, byPerson) {
  await put('rounds', { ...round, why: 'sending' });
  changed();
  const { response, why } = await deliver(round.address, new URLSearchParams(round.body), byPerson);
  if (response === null) {
    await put('rounds', { ...round, why });
    return;
  }
  const words = await response.text();
  const told = /json/.test(response.headers.get('Content-Type') ?? '') ? JSON.parse(words) : null;
  if (response.ok && told?.id) {
    const { key, me, title, site, sheet } = round;
    const sent = { key, me, title, site, sheet, at: round.at, state: 'sent', id: told.id, address: told.address, sentAt: Date.now() };
    await put('rounds', sent);
    await sendPhotos(sent, byPerson);
    return;
  }
  const errors = told?.errors ?? { '': refusal(response, words) };
  await put('rounds', { ...round, state: 'refused', why: '', errors });
  tell('round-refused', { key: round.key, errors });
}

/* Photos follow their round, each under its own key; one that is refused stays and says why. */
async function sendPhotos(round, byPerson) {
  let left = 0;
  for (const photo of await photosOf(round.key)) {
    if (photo.refused) continue;
    const body = new FormData();
    body.append('round_key', round.key);
    body.append('point', photo.code);
    enclose(body, photo);
    const { response } = await deliver(PHOTOS, body, byPerson, { 'Idempotency-Key': photo.key });
    if (response?.ok) await remove('photos', photo.key);
    else left += 1;
    if (response && !response.ok && response.status !== 409) await put('photos', { ...photo, refused: refusal(response, await response.text()) });
    if (!response) break; // the signal is gone again
    changed();
  }
  if (!left) tell('round-sent', { key: round.key, address: round.address });
}

async function run(byPerson) {
  for (const round of await mine('rounds')) {
    if (round.state === 'waiting') await sendRound(round, byPerson);
    else if (round.state === 'sent' && (await photosOf(round.key)).length) await sendPhotos(round, byPerson);
  }
  changed();
}

/** Send what waits; two tabs never send at once. */
export async function flush(byPerson = false) {
  if (!navigator.onLine) return;
  if (!navigator.locks) await run(byPerson);
  else await navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => lock && run(byPerson));
}

const changed = () => tell('rounds-changed');

function stateOf(round, words, photos) {
  if (round.state === 'open') return fill(words.draft, { place: round.answered ?? 0, count: round.points });
  const refused = photos.find((photo) => photo.refused);
  if (refused) return `${words.sent} · ${refused.file.name}: ${refused.refused}`;
  if (round.state === 'sent') return photos.length ? fill(words.sent_photos, { count: photos.length }) : words.sent;
  if (round.state === 'refused') return fill(words.refused, { why: Object.values(round.errors ?? {}).join(' ') });
  return words[round.why === 'sending' || round.why === 'signed_out' ? round.why : 'waiting'];
}

function row(round, photos, words) {
  const buttons = make('span', { class: 'cluster' });
  const link = (label) => buttons.append(make('a', { class: 'btn', href: round.address }, label));
  if (round.state === 'open') link(words.again);
  if (round.state === 'sent') link(words.look);
  if (round.state === 'refused') link(words.correct);
  if (round.state === 'waiting') {
    const send = make('button', { class: 'btn', type: 'button' }, round.why === 'signed_out' ? text('sign_in') : words.send_now);
    send.addEventListener('click', () => flush(true));
    buttons.append(send);
  }
  if (round.state === 'open' || round.state === 'refused' || photos.some((photo) => photo.refused)) {
    const drop = make('button', { class: 'btn btn-ghost', type: 'button' }, words.drop);
    drop.addEventListener('click', async () => {
      if (!await ask(words.drop_sure)) return;
      await forget(round.key);
      changed();
    });
    buttons.append(drop);
  }
  return make('li', { class: 'round-kept-row', 'data-state': round.state, 'data-why': round.why || null },
    make('span', {}, make('b', {}, round.title), make('span', { class: 'dim small' }, ` ${round.site} · ${stateOf(round, words, photos)}`)), buttons);
}

/** Show what this phone has kept of whoever is signed in, in the panel of the page. */
export async function showKept() {
  const panel = document.querySelector('[data-kept-here]');
  if (!panel) return;
  const words = JSON.parse(panel.dataset.texts);
  const kept = [];
  for (const round of await mine('rounds')) {
    const photos = await photosOf(round.key);
    if (round.state === 'sent' && !photos.length && Date.now() - round.sentAt > SENT_SHOWN) await forget(round.key);
    else kept.push(row(round, photos, words));
  }
  await noteUnsent();
  panel.hidden = !kept.length;
  panel.querySelector('[data-queue]').replaceChildren(...kept);
}

/** Keep a finished round; from now on it is sent as it is, under its key. */
export async function finish(round, body) {
  await put('rounds', { ...round, state: 'waiting', why: 'waiting', errors: null, body, finished: instant().toISOString() });
}

document.addEventListener('rounds-changed', showKept);
document.addEventListener('signed-in', () => flush(true));
addEventListener('online', () => flush());
document.addEventListener('visibilitychange', () => { if (!document.hidden) flush(); });
tabs?.addEventListener('message', ({ data }) => heard(data.type, data.detail));
setInterval(flush, EVERY);
