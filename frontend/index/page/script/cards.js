// All photos that there are, and which of them are seen.

import { $ } from "./words.js";

export const MANY = 4; // photos from which they are a wall

export const cards = []; // in the order they came, earlier ones included; many photos are not cards, but behave like them

/** @type {{batch: any, photo: any}} The wall that is seen, and the photo of it that is seen large. */
export const view = { batch: null, photo: null };

export const within = (list) => cards.filter((card) => card.element?.parentElement === list);

export function current() {
  if (view.photo) return [view.photo];
  return view.batch ? view.batch.photos : within($("current"));
}
