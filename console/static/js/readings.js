/* Readings on the phone: what a typed number is and what it means. The server decides by the same rules
   (domain/inspections/readings and points); here they answer while somebody types, without a signal. */

const LIKE = { '\u2212': '-', '\u2013': '-', '\uff0d': '-', '\uff0e': '.', '\uff0c': ',', '\uff0b': '+' };
const LONGEST = 40;

/** Give `{ value }` of what was typed, or `{ fault }`, the key of a sentence. A comma is a decimal mark where it cannot
    part thousands. */
export function typed(text) {
  let plain = [...text].map((one) => LIKE[one] ?? one.normalize('NFKC')).join('').replace(/\s/g, '').slice(0, LONGEST);
  if (/^[+-]?[1-9]\d{0,2}(,\d{3})+\.\d*$/.test(plain)) plain = plain.replaceAll(',', '');
  else if (/^[+-]?[1-9]\d{0,2}(,\d{3})+$/.test(plain)) return { fault: 'ambiguous' };
  else if (plain.split(',').length === 2 && !plain.includes('.')) plain = plain.replace(',', '.');
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(plain)) return { fault: 'no_number' };
  return { value: Number(plain) || 0 };
}

/** Give the verdict of a value within `[danger low, caution low, caution high, danger high]`. */
export function verdict(value, [dangerLow, warnLow, warnHigh, dangerHigh]) {
  const outside = (low, high) => (low !== null && value <= low) || (high !== null && value >= high);
  if (outside(dangerLow, dangerHigh)) return 'danger';
  if (outside(warnLow, warnHigh)) return 'warning';
  return [dangerLow, warnLow, warnHigh, dangerHigh].some((one) => one !== null) ? 'normal' : 'recorded';
}

/** Give whether a value is ten times the last one or more, or a tenth of it or less. */
export function isJump(value, last) {
  if (last === null || !value || !last) return false;
  const ratio = Math.abs(value / last);
  return ratio >= 10 || ratio <= 0.1;
}

/** Give how far the furthest of three phase voltages lies from their mean, in percent of it; null without all three. */
export function unbalance(voltages) {
  if (voltages.length !== 3 || voltages.some((one) => one === null)) return null;
  const mean = (voltages[0] + voltages[1] + voltages[2]) / 3;
  return mean > 0 ? Math.max(...voltages.map((one) => Math.abs(one - mean))) / mean * 100 : null;
}

/** A measured value as people read it. */
export function said(value) {
  return new Intl.NumberFormat('en', { maximumSignificantDigits: 10 }).format(Number(value.toPrecision(10))).replace('-', '\u2212');
}
