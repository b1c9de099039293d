/* Photos of a round: made smaller, kept with their round in this browser, each under a key of its own. */
import { fill, make } from './dom.js';
import { scaled, size } from './photo.js';
import { me, newKey, photosOf, put, remove } from './roundstore.js';

export class Photos {
  constructor(round, facts, words) {
    Object.assign(this, { round, facts, words, kept: [] });
  }

  async load() {
    this.kept = await photosOf(this.round.key).catch(() => []);
  }

  of(code) {
    return this.kept.filter((photo) => photo.code === code);
  }

  /** Keep photos of a point; gives what is wrong with those that cannot be taken. */
  async add(code, files) {
    const faults = [];
    for (const original of files) {
      const { file, told } = await scaled(original, this.facts.keeps_place);
      if (!file.size || file.size > this.facts.most_bytes) {
        faults.push(`${original.name}: ${fill(this.words.too_large, { limit: Math.floor(this.facts.most_bytes / 1048576) })}`);
        continue;
      }
      const photo = { key: newKey(), me: me(), round: this.round.key, code, file, told, before: original.size, at: Date.now() };
      await put('photos', photo);
      this.kept.push(photo);
    }
    return faults;
  }

  /** Show the photos of a point, each with a button that leaves it out. */
  show(section, code, changed) {
    const mine = this.of(code);
    const list = section.querySelector('[data-photos]');
    section.querySelector('[data-photo-words]').textContent = mine.length ? fill(this.words.photos, { count: mine.length }) : this.words.photo;
    list.hidden = !mine.length;
    list.replaceChildren(...mine.map((photo) => {
      const out = make('button', { class: 'btn btn-ghost btn-icon', type: 'button', 'aria-label': `${this.words.photo_out}: ${photo.file.name}` }, '×');
      out.addEventListener('click', async () => {
        await remove('photos', photo.key);
        this.kept = this.kept.filter((one) => one !== photo);
        changed();
      });
      return make('li', {}, make('span', {}, photo.file.name, make('span', { class: 'dim small' }, this.sizes([photo]))), out);
    }));
  }

  sizes(photos = this.kept) {
    const sum = (read) => photos.reduce((all, photo) => all + read(photo), 0);
    const [before, after] = [sum((photo) => photo.before), sum((photo) => photo.file.size)];
    return after < before ? fill(this.words.shrunk, { before: size(before), after: size(after) }) : size(after);
  }
}
