/* What this browser keeps of rounds: the rounds themselves, the sheets that were opened, and photos. Everything has the
   name of whoever was signed in (`me`); nobody else is shown it. It stays when the tab or the session ends. */
import { config, LAST_PERSON, UNSENT } from './dom.js';

const NAME = 'ka-rounds';
const DRIFT = 'ka-round-drift';
let opened = null;

function open() {
  opened ??= new Promise((done, fail) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      const base = asked.result;
      base.createObjectStore('rounds', { keyPath: 'key' });
      base.createObjectStore('sheets', { keyPath: 'id' });
      base.createObjectStore('photos', { keyPath: 'key' }).createIndex('round', 'round');
    };
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
  return opened;
}

/* Strict: what was typed is on the disk before the next point, not in a buffer of the system. */
async function work(store, mode, act) {
  const base = await open();
  return new Promise((done, fail) => {
    const change = base.transaction(store, mode, { durability: 'strict' });
    const asked = act(change.objectStore(store));
    change.oncomplete = () => done(asked.result);
    change.onerror = () => fail(change.error);
    change.onabort = () => fail(change.error);
  });
}

export const put = (store, value) => work(store, 'readwrite', (all) => all.put(value));
export const get = (store, key) => work(store, 'readonly', (all) => all.get(key));
export const remove = (store, key) => work(store, 'readwrite', (all) => all.delete(key));
const every = (store) => work(store, 'readonly', (all) => all.getAll());

/** Keep a round under way; gives whether it is still one: in another tab it may have been finished meanwhile. */
export async function keepOpen(round) {
  const known = await work('rounds', 'readwrite', (all) => {
    const asked = all.get(round.key);
    asked.onsuccess = () => {
      if (isFinished(asked.result)) return;
      all.put(round);
      localStorage.setItem(UNSENT, '1');
    };
    return asked;
  });
  return !isFinished(known);
}

const isFinished = (round) => round?.state === 'waiting' || round?.state === 'sent';

/** Everything of a store that belongs to whoever is signed in, the oldest first. */
export async function mine(store) {
  const found = me() ? (await every(store)).filter((one) => one.me === me()) : [];
  return found.sort((a, b) => a.at - b.at);
}

/** The photos of a round, in the order in which they were taken. */
export async function photosOf(key) {
  const found = await work('photos', 'readonly', (all) => all.index('round').getAll(key));
  return found.sort((a, b) => a.at - b.at);
}

/** Note whether anything of anybody waits here: a sign-out then leaves it. */
export async function noteUnsent() {
  const waits = (await every('photos')).length || (await every('rounds')).some(({ state }) => state !== 'sent');
  if (waits) localStorage.setItem(UNSENT, '1');
  else localStorage.removeItem(UNSENT);
}

/** Throw a round away with its photos. */
export async function forget(key) {
  for (const photo of await photosOf(key)) await remove('photos', photo.key);
  await remove('rounds', key);
}

/** Who is signed in; without a signal whoever was the last to be. */
export const me = () => config.me || localStorage.getItem(LAST_PERSON) || '';

/** The present instant by the server's clock, also where the page was kept. */
export const instant = () => new Date(Date.now() + Number(localStorage.getItem(DRIFT) ?? 0));

/** Note how far the clock of this phone is off, which a page that was kept does not know. */
export function remember() {
  if (!config.me) return;
  localStorage.setItem(DRIFT, String(config.now - Date.now()));
  navigator.storage?.persist?.().catch(() => {});
}

/** A key that no other round or photo has. */
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
