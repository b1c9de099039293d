/* A drawer beside a list: the focus goes into it, closing brings the list's address and the focus back. */
import { on } from './dom.js';

const slot = () => document.getElementById('drawer-slot');
let opener = null;

on('click', '[data-drawer-open]', (_event, link) => {
  opener = link;
});
document.addEventListener('htmx:after:swap', () => {
  const drawer = slot()?.querySelector('[data-drawer]');
  if (drawer && slot().kaShown !== drawer) drawer.focus();
  if (slot()) slot().kaShown = drawer;
});
on('click', '[data-drawer-close]', (event, link) => {
  const drawer = link.closest('[data-drawer]');
  if (!drawer || !slot()?.contains(drawer)) return;
  event.preventDefault();
  slot().replaceChildren();
  history.pushState({ htmx: true }, '', link.getAttribute('href'));
  const back = opener?.isConnected ? opener : document.getElementById('content');
  back?.focus();
});
