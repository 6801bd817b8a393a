// Which photos of a batch are on the wall, in which order, and in which groups.

import { say } from "./texts.js";

const LANGUAGES = document.documentElement.lang;
const compare = new Intl.Collator(LANGUAGES, { numeric: true, sensitivity: "base" }).compare;

const confidence = (photo) => photo.claim?.confidence ?? -1;

const ORDERS = {
  "as-chosen": (a, b) => a.place - b.place,
  surest: (a, b) => confidence(b) - confidence(a),
  "least-sure": (a, b) => (confidence(a) < 0 ? 1 : confidence(b) < 0 ? -1 : confidence(a) - confidence(b)),
  "by-name": (a, b) => compare(a.path, b.path),
  newest: (a, b) => b.time - a.time,
  oldest: (a, b) => a.time - b.time,
};

// What a filter's button shows, by its value.
export const FILTERS = {
  "": () => true,
  done: (photo) => photo.state === "done",
  unsure: (photo) => photo.state === "unsure",
  failed: (photo) => ["failed", "canceled"].includes(photo.state),
};

// Whether each word of the search begins a word of the photo's name, its path, or what it may show.
function contains(photo, words) {
  if (!words.length) return true;
  const { predictions = [], instead, tags = [] } = photo.answer ?? {};
  const told = [photo.path];
  for (const { label, label_en, path = [], path_en = [] } of [...predictions.slice(0, 3), instead ?? {}, ...tags])
    told.push(label, label_en, ...path, ...path_en);
  const text = ` ${told
    .join(" ")
    .toLowerCase()
    .replace(/[/\\_.-]/g, " ")}`;
  return words.every((word) => text.includes(` ${word}`));
}

export function sifted(batch, { filter, search, order }) {
  const words = search
    .toLowerCase()
    .split(/[\s/\\_.-]+/)
    .filter(Boolean);
  return batch.photos.filter((photo) => FILTERS[filter](photo) && contains(photo, words)).sort(ORDERS[order]);
}

// The groups by word: [{key, word, photos}]. Most photos first, then by the alphabet; what has no word is last. The ones
// in `order` (keys) stay where they are.
export function grouped(photos, order) {
  const groups = new Map();
  for (const photo of photos) {
    const key = keyOf(photo);
    const group = groups.get(key) ?? { key, word: photo.claim?.word ?? say(key), photos: [] };
    groups.set(key, group);
    group.photos.push(photo);
  }
  const place = (key) => (order.has(key) ? order.get(key) : order.size);
  return [...groups.values()].sort(
    (a, b) =>
      LAST.indexOf(a.key) - LAST.indexOf(b.key) ||
      place(a.key) - place(b.key) ||
      b.photos.length - a.photos.length ||
      compare(a.word, b.word),
  );
}

const LAST = ["wall-group-unsure", "wall-group-failed", "wall-group-open"];

function keyOf(photo) {
  const english = photo.claim?.english;
  if (typeof english === "string") return ` ${english}`; // no word is one of the other keys
  if (photo.claim) return LAST[0];
  return photo.open ? LAST[2] : LAST[1];
}
