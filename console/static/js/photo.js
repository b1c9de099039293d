/* Photos before they travel: made smaller, with what they say of themselves read first, since a canvas forgets it. */

const LONG_EDGE = 2560;
const SMALL_ENOUGH = 1_500_000;
const QUALITY = 0.85;
const EXIF = 0x8769;
const PLACE = 0x8825;
const TAKEN = 0x9003;
const OFFSET = 0x9011;
const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
const MOST_TAGS = 512;
const LONGEST = 4096;

/** Where the block with the tags begins, whatever is around it: a TIFF header. */
function* blocks(bytes) {
  let found = 0;
  for (let at = 0; at + 8 <= bytes.length && found < 16; at++) {
    const little = bytes[at] === 0x49;
    if ((!little && bytes[at] !== 0x4d) || bytes[at + 1] !== bytes[at]) continue;
    if (bytes[at + 2] !== (little ? 0x2a : 0) || bytes[at + 3] !== (little ? 0 : 0x2a)) continue;
    found += 1;
    yield { start: at, little };
  }
}

/** The tags of a table by their number; what would lie outside of the file is left out. */
function table(view, { start, little }, offset) {
  const tags = new Map();
  const first = start + offset + 2;
  if (offset === undefined || first > view.byteLength) return tags;
  const count = Math.min(view.getUint16(first - 2, little), MOST_TAGS, Math.floor((view.byteLength - first) / 12));
  for (let at = first; at < first + 12 * count; at += 12) {
    const kind = view.getUint16(at + 2, little);
    const number = view.getUint32(at + 4, little);
    const pointer = view.getUint32(at + 8, little);
    const size = (SIZES[kind] ?? 1) * number;
    const from = size > 4 ? start + pointer : at + 8;
    const value = size > LONGEST || from + size > view.byteLength ? null : new Uint8Array(view.buffer, from, size);
    tags.set(view.getUint16(at, little), { kind, number, pointer, value });
  }
  return tags;
}

const ascii = (tag) => (tag?.value ? String.fromCharCode(...tag.value).replace(/[\0 ]+$/, '') : '');

/** When and where a photo was taken, as its camera wrote it; nothing where it does not say. */
function told(buffer) {
  const view = new DataView(buffer);
  for (const block of blocks(new Uint8Array(buffer))) {
    const main = table(view, block, view.getUint32(block.start + 4, block.little));
    const more = table(view, block, main.get(EXIF)?.pointer);
    const place = { little: block.little, tags: table(view, block, main.get(PLACE)?.pointer) };
    const taken = ascii(more.get(TAKEN) ?? main.get(TAKEN));
    if (taken || place.tags.size) return { taken, offset: ascii(more.get(OFFSET)), place };
  }
  return { taken: '', offset: '', place: { tags: new Map() } };
}

/** A part of a JPEG that says the place and nothing else. */
function placePart({ little, tags }) {
  const kept = [...tags].filter(([, tag]) => tag.value);
  const long = kept.reduce((sum, [, { value }]) => sum + (value.length > 4 ? value.length + (value.length % 2) : 0), 0);
  // Marker, length and name of the part, the header, a table with one pointer, the table of the place, its values.
  const block = 10;
  const first = 26;
  const bytes = new Uint8Array(block + first + 2 + 12 * kept.length + 4 + long);
  if (bytes.length > 0xfffd) return bytes.subarray(0, 0);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xffe1);
  view.setUint16(2, bytes.length - 2);
  bytes.set([0x45, 0x78, 0x69, 0x66, 0, 0, ...(little ? [0x49, 0x49] : [0x4d, 0x4d])], 4);
  view.setUint16(block + 2, 42, little);
  view.setUint32(block + 4, 8, little);
  view.setUint16(block + 8, 1, little);
  view.setUint16(block + 10, PLACE, little);
  view.setUint16(block + 12, 4, little);
  view.setUint32(block + 14, 1, little);
  view.setUint32(block + 18, first, little);
  view.setUint16(block + first, kept.length, little);
  let at = block + first + 2;
  let free = first + 2 + 12 * kept.length + 4;
  for (const [number, tag] of kept) {
    view.setUint16(at, number, little);
    view.setUint16(at + 2, tag.kind, little);
    view.setUint32(at + 4, tag.number, little);
    if (tag.value.length <= 4) bytes.set(tag.value, at + 8);
    else {
      view.setUint32(at + 8, free, little);
      bytes.set(tag.value, block + free);
      free += tag.value.length + (tag.value.length % 2);
    }
    at += 12;
  }
  return bytes;
}

/** A photo made smaller, with when it was taken; whatever is small or cannot be drawn stays as it is. */
export async function scaled(file, keepsPlace) {
  const whole = { file, told: null };
  if (!/^image\/(jpeg|png|webp)$/.test(file.type)) return whole;
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    return whole;
  }
  try {
    const factor = Math.min(1, LONG_EDGE / Math.max(picture.width, picture.height));
    if (factor === 1 && file.size <= SMALL_ENOUGH) return whole;
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(picture.width * factor));
    canvas.height = Math.max(1, Math.round(picture.height * factor));
    const pen = canvas.getContext('2d');
    // A picture without background would turn black.
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const made = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', QUALITY));
    if (!made || made.size >= file.size) return whole;
    const { taken, offset, place } = told(await file.arrayBuffer());
    const parts = keepsPlace && place.tags.size ? [made.slice(0, 2), placePart(place), made.slice(2)] : [made];
    const name = file.name.replace(/\.(png|webp|jpe?g)$/i, '') + '.jpg';
    return { file: new File(parts, name, { type: 'image/jpeg' }), told: { taken, offset } };
  } finally {
    picture.close();
  }
}

/** Put a photo into what is sent, with what it said of itself before it was made smaller. */
export function enclose(body, { file, told }) {
  if (told) {
    body.append('shrunk', '1');
    body.append('taken', told.taken);
    body.append('taken_offset', told.offset);
  }
  body.append('file', file, file.name);
}

/** The size of a file as people read it. */
export const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
