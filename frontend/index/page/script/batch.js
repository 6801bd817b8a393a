// Many photos that belong together: a wall. It is kept by the browser where the browser keeps anything.

import { begin, dropPhoto, erase, keepPhoto, keepWhole, note } from "./kept.js";
import { Photo } from "./photo.js";

let told = (_batch, _photo) => {};

// Calls `tell` with a batch and its photo whenever something is new about that.
export function whenPhotoChanges(tell) {
  told = tell;
}

let began = (_batch) => {};

// Calls `tell` with a batch that the browser begins to keep.
export function whenKept(tell) {
  began = tell;
}

export class Batch {
  /** @type {Photo[]} In the order they came. */
  photos = [];
  /** @type {any} Its number among those that are kept; null if it is not kept. */
  id = null;
  /** @type {Promise<void> | null} */
  beginning = null;
  release = () => {};
  stopped = false;
  keeps = true; // whether the browser keeps it, as far as is known
  lost = 0; // photos that were chosen and not kept
  made = Date.now();
  last = 0; // the last place that a photo got

  next() {
    this.last += 1;
    return this.last;
  }

  changed(photo) {
    told(this, photo);
  }

  get answered() {
    return this.photos.filter((photo) => !photo.open).length;
  }

  add(files) {
    const added = files.map((file) => new Photo(this, file));
    this.photos.push(...added);
    return added;
  }

  // A batch that was kept, as kept.js gives it.
  static restored({ record, photos, release }) {
    const batch = new Batch();
    Object.assign(batch, { id: record.id, made: record.made, stopped: record.stopped, release });
    batch.photos = photos.map(({ preview, ...known }) => {
      const photo = new Photo(batch, null, /** @type {any} */ (known));
      return Object.assign(photo, known, { thumb: preview ?? null, prepared: true, kept: true });
    });
    batch.last = Math.max(0, ...batch.photos.map(({ place }) => place));
    batch.lost = Math.max(0, record.count - photos.length);
    return batch;
  }

  // Does something on the disk; what does not work there is not kept from then on.
  async keep(act) {
    if (!this.keeps) return false;
    try {
      this.beginning ??= this.id === null ? this.begun() : Promise.resolve();
      await this.beginning;
      await act();
      return true;
    } catch {
      this.keeps = false;
      this.changed(null);
      return false;
    }
  }

  async begun() {
    const { id, release } = await begin(this.made);
    Object.assign(this, { id, release });
    began(this);
  }

  // How many photos there are and whether it is stopped: what is said of it before it is opened again.
  async keepState() {
    const [count, { stopped, answered }] = [this.photos.length + this.lost, this];
    await this.keep(() => note(this.id, { count, answered, stopped }));
  }

  async keepPicture(photo) {
    if (!(await this.keep(() => keepWhole(photo)))) return;
    photo.kept = true;
    if (!["sending", "looking"].includes(photo.state)) photo.unload();
    if (typeof photo.thumb !== "string" && !photo.tile) photo.thumb = null;
  }

  async keepAnswer(photo) {
    await this.keep(() => keepPhoto(photo));
  }

  async drop(photo) {
    this.photos = this.photos.filter((one) => one !== photo);
    if (photo.kept) await this.keep(() => dropPhoto(photo));
    await this.keepState();
  }

  // Deletes it from the browser, if it is there.
  async forget() {
    this.keeps = false;
    await this.beginning?.catch(() => {});
    if (this.id !== null) await erase(this.id).catch(() => {});
    this.release();
  }
}
