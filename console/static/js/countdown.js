/* Countdowns go on while the page is open; the words are the server's. The clock of the site too. */
import { config, eachLoad, fill, now } from './dom.js';

/** Give the words for a length of time in milliseconds; the same rule as domain/durations.py. */
export function words(length, table) {
  const minutes = Math.floor(Math.abs(length) / 60_000);
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60), minutes % 60];
  if (days) return fill(table.days, { days });
  if (hours >= 3 || (hours && !rest)) return fill(table.hours, { hours });
  if (hours) return fill(table.hours_minutes, { hours, minutes: rest });
  return rest ? fill(table.minutes, { minutes: rest }) : table.now;
}

function tone(length, soonHours) {
  if (length < 0) return 'late';
  return length <= soonHours * 3_600_000 ? 'soon' : 'wait';
}

function refresh(root = document) {
  const instant = now();
  for (const time of root.querySelectorAll('[data-countdown]')) {
    const length = Date.parse(time.dateTime) - instant;
    const said = words(length, length >= 0 ? config.words.left : config.words.late);
    if (time.textContent !== said) time.textContent = said;
    const tag = time.closest('.k-tag');
    if (!tag) continue;
    const wanted = `k-tag k-tag-${tone(length, Number(time.dataset.countdown))}`;
    if (tag.className !== wanted) {
      tag.className = wanted;
      const use = tag.querySelector('use');
      const [file] = use.getAttribute('href').split('#');
      use.setAttribute('href', `${file}#${length < 0 ? 'alert-triangle' : 'clock'}`);
    }
  }
  for (const clock of root.querySelectorAll('[data-clock]')) {
    const form = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: clock.dataset.clock });
    clock.textContent = form.format(instant);
  }
}

if (config.words.left) {
  eachLoad(refresh);
  setInterval(() => { if (!document.hidden) refresh(); }, 15_000);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
}
