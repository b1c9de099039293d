/* The signature: what a finger or a pen draws, as the strokes of a path in whole numbers. */

const MOST = 19_000;

/** Let `picture` be drawn on; `changed` hears the path. Gives what shows a path that was kept. */
export function signature(picture, changed) {
  const ink = picture.querySelector('.round-sign-ink');
  const { width, height } = picture.viewBox.baseVal;
  let path = '';
  let stroke = null;

  const spot = (event) => {
    const box = picture.getBoundingClientRect();
    const within = (one, most) => Math.round(Math.min(Math.max(one, 0), 1) * most);
    return `${within((event.clientX - box.left) / box.width, width)} ${within((event.clientY - box.top) / box.height, height)}`;
  };
  const show = (whole) => ink.setAttribute('d', whole);
  const end = () => {
    if (stroke === null) return;
    if (stroke.includes('L')) path += stroke;
    stroke = null;
    show(path);
    changed(path);
  };

  picture.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    picture.setPointerCapture(event.pointerId);
    stroke = `M${spot(event)}`;
  });
  picture.addEventListener('pointermove', (event) => {
    if (stroke === null || path.length + stroke.length > MOST) return;
    const next = spot(event);
    if (!stroke.endsWith(next)) stroke += `L${next}`;
    show(path + stroke);
  });
  picture.addEventListener('pointerup', end);
  picture.addEventListener('pointercancel', end);
  return (kept) => {
    path = kept;
    show(path);
  };
}
