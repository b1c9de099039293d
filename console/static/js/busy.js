/* Work is shown at once: a line over the list, the drawer or the part that an answer is awaited for. */
const PARTS = '[data-list], #drawer-slot, #my-work, .panel';
const shown = new WeakMap();

/** Show that `part` waits for something; gives what ends it. */
export function wait(part) {
  if (!part) return () => {};
  const open = (part.kaWaits ?? 0) + 1;
  part.kaWaits = open;
  part.setAttribute('aria-busy', 'true');
  return () => {
    part.kaWaits -= 1;
    if (part.kaWaits <= 0) part.removeAttribute('aria-busy');
  };
}

/** The part around an element that shows its waiting. */
export const partOf = (element) => element?.closest(PARTS) ?? null;

document.addEventListener('htmx:before:request', (event) => {
  const { ctx } = event.detail;
  // What nobody asked for (lists that read themselves again, charts that load when seen) works in silence.
  const asked = ctx.sourceEvent?.isTrusted || ctx.request.method !== 'GET';
  const target = typeof ctx.target === 'string' ? document.querySelector(ctx.target) : ctx.target;
  if (asked) shown.set(ctx, wait(ctx.swap === 'none' ? partOf(ctx.sourceElement) : partOf(target) ?? target));
});
document.addEventListener('htmx:finally:request', (event) => {
  shown.get(event.detail.ctx)?.();
  shown.delete(event.detail.ctx);
});
