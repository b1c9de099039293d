/* Pages of rounds: the sheet of one, the list of what can be begun, and the shell that opens without a signal. */
import { config, make } from './dom.js';
import { flush, showKept } from './roundqueue.js';
import { me, mine, put, remember } from './roundstore.js';
import { sheetId, walk } from './roundwalk.js';

const WORKER = '/inspections/round-worker.js';
const SCOPE = '/inspections/rounds';
const SHELL = '/inspections/rounds/shell';
const STORE = 'ka-round';
const HASH = /\.[A-Z2-7]{8}(?=\.[a-z0-9]+$)/;

/* What belongs to one session alone is not kept with the sheet. */
function plain(form) {
  const copy = form.cloneNode(true);
  copy.querySelectorAll('[name=csrf_token], [name=once], [data-error-summary]').forEach((one) => one.remove());
  return copy.outerHTML;
}

async function keepSheet(form) {
  const { address, title, site, location: place, template } = JSON.parse(form.dataset.round);
  await put('sheets', { id: sheetId(form), me: me(), address, title, site, place, template, html: plain(form), at: Date.now() });
}

/* Files that this page asked for, so that the shell finds them without a signal. */
async function keepFiles() {
  if (!navigator.serviceWorker || !globalThis.caches || !config.me) return;
  await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
  await document.fonts.ready;
  const named = [...document.querySelectorAll('link[href], script[src], use[href]')].map((one) => one.getAttribute('href') ?? one.src);
  const asked = [...performance.getEntriesByType('resource').map((one) => one.name), ...named].map((one) => new URL(one, location.href));
  const wanted = new Set(asked.filter((one) => one.origin === location.origin && one.pathname.startsWith('/static/')).map((one) => one.pathname));
  const store = await caches.open(STORE);
  const kept = (await store.keys()).map((one) => new URL(one.url).pathname);
  await store.add(new Request(SHELL, { cache: 'reload' }));
  await store.addAll([...wanted].filter((one) => !kept.includes(one)));
  const current = new Set([...wanted].map((one) => one.replace(HASH, '')));
  for (const old of kept) if (!wanted.has(old) && current.has(old.replace(HASH, ''))) await store.delete(old);
}

async function openShell(main) {
  config.me = me();
  const words = JSON.parse(main.dataset.texts);
  const sheets = await mine('sheets');
  const here = sheets.find(({ address }) => address === location.pathname + location.search);
  if (here) {
    const made = document.createElement('template');
    made.innerHTML = here.html;
    const after = main.querySelector('[data-after]');
    after.hidden = true;
    main.replaceChildren(made.content, after);
    await walk(main.querySelector('form'));
    return;
  }
  const said = location.pathname === SCOPE ? words.no_signal : words.away;
  main.querySelector('[data-shell-words]').textContent = me() ? said : words.nobody;
  const offered = main.querySelector('[data-offered]');
  offered.hidden = !sheets.length;
  offered.querySelector('[data-sheets]').replaceChildren(...sheets.map((sheet) => make('li', {},
    make('a', { class: 'round-go', href: sheet.address }, make('span', {}, make('b', {}, sheet.title), ` ${sheet.site} · ${sheet.place}`)))));
  await showKept();
}

async function start() {
  const form = document.querySelector('form[data-round]');
  const shell = document.querySelector('[data-round-shell]');
  remember();
  if (shell) await openShell(shell);
  else if (form) {
    // A sheet that cannot be kept is still done.
    await keepSheet(form).catch(() => {});
    await walk(form);
  } else await showKept();
  flush();
  if (!shell) await keepFiles().catch(() => {});
  document.documentElement.dataset.round = 'ready';
}

start();
