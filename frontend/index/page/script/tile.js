// A photo on the wall, or a row of it: a button with its picture, its word and how sure that is. It exists while it is near
// the window, and so does its picture in memory.

import { picture } from "./kept.js";
import { percent } from "./percent.js";
import { say } from "./texts.js";
import { $ } from "./words.js";

export class Tile {
  /** @type {any} What the picture shows. */
  shown = null;
  url = "";
  isGone = false;

  constructor(photo) {
    this.photo = photo;
    this.element = $("tile").content.firstElementChild.cloneNode(true);
    this.button = this.element.firstElementChild;
    this.image = this.element.querySelector("img");
    this.image.onerror = () => (this.image.hidden = true);
    this.element.querySelector(".file").textContent = photo.name;
    this.element.querySelector(".kind").textContent = kindOf(photo.name);
    this.tell();
  }

  // Says what is known of the photo.
  tell() {
    const { photo, element } = this;
    element.dataset.state = photo.state;
    for (const [name, text] of Object.entries(wordsFor(photo))) {
      const place = element.querySelector(`.${name}`);
      if (place.textContent !== text) place.textContent = text;
    }
    this.showPicture();
  }

  // Where it is on the wall, in pixels, and among how many.
  put({ left, top }, place, count) {
    this.element.style.insetInlineStart = `${left}px`;
    this.element.style.insetBlockStart = `${top}px`;
    this.element.setAttribute("aria-posinset", String(place));
    this.element.setAttribute("aria-setsize", String(count));
  }

  async showPicture() {
    const { photo } = this;
    if (!photo.thumb && photo.kept) photo.thumb = (await picture(photo).catch(() => null))?.thumb ?? null;
    const { thumb } = photo;
    if (this.isGone || !thumb || thumb === this.shown) return;
    this.hidePicture();
    this.shown = thumb;
    this.url = typeof thumb === "string" ? thumb : URL.createObjectURL(thumb);
    this.image.src = this.url;
    this.image.hidden = false;
  }

  hidePicture() {
    if (this.url) URL.revokeObjectURL(this.url);
    [this.url, this.shown] = ["", null];
  }

  discard() {
    this.isGone = true;
    this.hidePicture();
    this.element.remove();
    this.photo.tile = null;
    if (this.photo.kept && typeof this.photo.thumb !== "string") this.photo.thumb = null;
  }
}

const kindOf = (name) => (name.includes(".") ? name.split(".").pop().slice(0, 5).toUpperCase() : "");

function wordsFor(photo) {
  const { claim } = photo;
  if (!claim) return { said: photo.open ? say(photo.state) : photo.short, sure: "" };
  if (claim.word === null) return { said: photo.short, sure: "" };
  return { said: claim.word, sure: percent(claim.confidence) };
}
