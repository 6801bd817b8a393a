// Batches that the browser keeps on its disk, so that they outlive a reload: what is sent of each photo, a small picture
// of it, and its answer. Nothing of this leaves the browser. All functions throw where it keeps nothing, as some do in
// private windows, and where there is no room.

import { openDatabase } from "./database.js";

const DATABASE = "batches";
const VERSION = 1;
const MOST_BATCHES = 3;
const MOST_BYTES = 500_000_000; // of all batches together
const LONGEST = 7 * 24 * 3600 * 1000; // milliseconds that a batch is kept
const AT_ONCE_READ = 100; // records

/** @type {Promise<IDBDatabase> | null} */
let opening = null;

const given = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function database() {
  opening ??= openDatabase(DATABASE, VERSION, (made) => {
    made.createObjectStore("batches", { keyPath: "id", autoIncrement: true });
    for (const store of ["photos", "pictures"]) made.createObjectStore(store);
  });
  return opening;
}

// Does something with these stores, all or nothing; gives what it gives.
async function transact(mode, stores, act) {
  const transaction = (await database()).transaction(stores, mode, { durability: "relaxed" });
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
  });
  const [result] = await Promise.all([act(...stores.map((store) => transaction.objectStore(store))), ended]);
  return result;
}

const all = (id) => IDBKeyRange.bound([id], [id, []]);
const key = (photo) => [photo.batch.id, photo.place];

// One window has a batch at a time. Where a browser cannot say that, each window may have each.
async function lock(id) {
  if (!navigator.locks) return () => {};
  return new Promise((resolve) => {
    navigator.locks.request(`batch ${id}`, { ifAvailable: true }, (held) => {
      if (!held) return resolve(null);
      return new Promise((release) => resolve(() => release(null)));
    });
  });
}

export async function listed() {
  return transact("readonly", ["batches"], (batches) => given(batches.getAll()));
}

// A new batch: {id, release}. Makes room for it: the oldest ones go, if no window has them.
export async function begin(made) {
  for (const { id, made: then } of await listed()) if (made - then > LONGEST) await drop(id);
  for (const { id } of (await listed()).slice(0, -MOST_BATCHES + 1 || undefined)) await drop(id);
  const id = await transact("readwrite", ["batches"], (batches) =>
    given(batches.add({ made, count: 0, answered: 0, bytes: 0, stopped: false })),
  );
  return { id, release: await lock(id) };
}

// Deletes a batch that no other window has; whether it is gone.
export async function drop(id) {
  const release = await lock(id);
  if (!release) return false;
  await erase(id);
  release();
  return true;
}

// Deletes a batch of this window.
export async function erase(id) {
  await transact("readwrite", ["batches", "photos", "pictures"], (batches, photos, pictures) => {
    batches.delete(id);
    photos.delete(all(id));
    pictures.delete(all(id));
  });
}

// Changes the record of a batch.
export async function note(id, changes) {
  await transact("readwrite", ["batches"], async (batches) => {
    const record = await given(batches.get(id));
    if (record) batches.put({ ...record, ...changes });
  });
}

// What is kept of a photo without its pictures.
const recordOf = ({ place, name, path, time, opens, state, reply, query, trouble, thumb }) => ({
  ...{ place, name, path, time, opens, reply, query, trouble },
  state: ["done", "unsure", "failed"].includes(state) ? state : "waiting",
  preview: typeof thumb === "string" ? thumb : undefined,
});

// Keeps what is new about a photo; its pictures stay as they are.
export async function keepPhoto(photo) {
  await transact("readwrite", ["batches", "photos"], async (batches, photos) => {
    const record = await given(batches.get(photo.batch.id));
    if (!record) throw new Error("the batch was deleted");
    batches.put({ ...record, answered: photo.batch.answered });
    photos.put(recordOf(photo), key(photo));
  });
}

// Pictures are kept as bytes: in a private window of WebKit a Blob is refused, or the transaction with it never ends.
const asBytes = async (blob) => blob && { bytes: await blob.arrayBuffer(), type: blob.type };
const asBlob = (kept) => kept && new Blob([kept.bytes], { type: kept.type });

// Keeps a photo with its pictures. Throws where all that is kept would be too much.
export async function keepWhole(photo) {
  const { blob, thumb } = photo;
  const size = blob.size + (thumb?.size ?? 0);
  const [whole, small] = await Promise.all([asBytes(blob), asBytes(typeof thumb === "string" ? null : thumb)]);
  await transact("readwrite", ["batches", "photos", "pictures"], async (batches, photos, pictures) => {
    const records = await given(batches.getAll());
    if (records.reduce((sum, { bytes }) => sum + bytes, size) > MOST_BYTES) throw new Error("too much is kept");
    const record = records.find(({ id }) => id === photo.batch.id);
    if (!record) throw new Error("the batch was deleted");
    batches.put({ ...record, bytes: record.bytes + size });
    photos.put(recordOf(photo), key(photo));
    pictures.put({ blob: whole, thumb: small }, key(photo));
  });
}

export async function dropPhoto(photo) {
  await transact("readwrite", ["photos", "pictures"], (photos, pictures) => {
    photos.delete(key(photo));
    pictures.delete(key(photo));
  });
}

// The pictures of a photo: {blob, thumb}, or undefined.
export async function picture(photo) {
  const found = await transact("readonly", ["pictures"], (pictures) => given(pictures.get(key(photo))));
  return found && { blob: asBlob(found.blob), thumb: asBlob(found.thumb) };
}

// A batch as it was kept: {record, photos, release}, its photos without their pictures; null if another window has it.
export async function taken(id) {
  const release = await lock(id);
  if (!release) return null;
  const record = (await listed()).find((one) => one.id === id);
  if (!record) return release();
  const photos = [];
  for (let after = all(id); ; ) {
    const [keys, some] = await transact("readonly", ["photos"], (store) =>
      Promise.all([given(store.getAllKeys(after, AT_ONCE_READ)), given(store.getAll(after, AT_ONCE_READ))]),
    );
    photos.push(...some);
    if (keys.length < AT_ONCE_READ) break;
    after = IDBKeyRange.bound(keys.at(-1), [id, []], true);
  }
  return { record, photos, release };
}

// Whether a window has this batch.
export async function isFree(id) {
  const release = await lock(id);
  release?.();
  return Boolean(release);
}
