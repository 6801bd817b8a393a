// The wall: the photos of a batch in groups, as pictures or as rows, kept in order while their answers come. Of thousands of
// photos, those near the window are in the document.

import { FILTERS, grouped, sifted } from "./groups.js";
import { layOut, neighbor, placeIn, stopsOf } from "./layout.js";
import { say } from "./texts.js";
import { Tile } from "./tile.js";
import { $, announce } from "./words.js";

const EVERY = 500; // milliseconds between two arrangements while answers come
const NEAR = 600; // pixels above and below the window
const SHAPE = 1.2; // height of a tile to its width
// In rem.
const LEAST_WIDTH = 9.5;
const ROW = 3.5;
const HEAD = 2.25;
const GAP = { pictures: 0.5, rows: 0.125 };
const BETWEEN = 1;

const sections = new Map(); // from a group's key to its section, of those near the window
const folded = new Set(); // keys of groups
const mounted = new Set(); // photos that have a tile

let batch = null;
let openPhoto = (_photo) => {};
let order = new Map(); // from the key of a group to its place
let sizes = { columns: 2, width: 0, height: 0, gap: 0, head: 0, between: 0 };
let boxes = []; // the groups, with where they are
let stops = []; // what the keyboard reaches
let seen = []; // the photos in the order in which they are seen
/** @type {any} The stop that has the wall's place in the tab order. */
let here = null;
let arranged = 0; // when, on the clock of performance.now()
let timer = 0;
let painting = 0;
let isPrinting = false;

const isRows = () => $("tiles").classList.contains("as-rows");

const settings = () => ({
  filter: $("filter").querySelector("[aria-pressed=true]").value,
  search: $("search").value,
  order: $("order").value,
});

// Shows a batch; `open` is called with a photo that is to be seen large.
export function hang(other, open) {
  openPhoto = open;
  if (batch !== other) takeDown();
  batch = other;
  $("wall").hidden = false;
  measure();
  arrange();
}

export function takeDown() {
  $("wall").hidden = true;
  for (const photo of mounted) photo.tile?.discard();
  $("tiles").replaceChildren();
  for (const all of [sections, folded, mounted]) all.clear();
  $("search").value = "";
  press($("filter"), "");
  [boxes, stops, seen] = [[], [], []];
  [batch, here, order] = [null, null, new Map()];
}

export const seenPhotos = () => seen;

// Gives a photo's tile the keyboard's place.
export function focusOn(photo) {
  const stop = stops.find((one) => one.photo === photo);
  if (stop) goTo(stop);
  else $("count").focus({ preventScroll: true });
}

// What is new about a batch, or one of its photos, is seen soon.
export function noteChange(other, photo) {
  if (other !== batch) return;
  photo?.tile?.tell();
  if ($("wall").hidden) return;
  timer ||= window.setTimeout(arrange, Math.max(0, arranged + EVERY - performance.now()));
}

// A photo was taken out of the batch.
export function unhang(photo) {
  photo.tile?.discard();
  mounted.delete(photo);
  arrange();
}

function arrange() {
  clearTimeout(timer);
  timer = 0;
  if (!batch) return;
  seen = sifted(batch, settings());
  const isTogether = $("grouped").checked;
  const running = batch.photos.some((photo) => photo.open);
  const groups = isTogether ? grouped(seen, running ? order : new Map()) : [{ key: "", word: "", photos: seen }];
  if (isTogether) order = new Map(groups.map(({ key }, place) => [key, place]));
  seen = groups.flatMap(({ photos }) => photos);
  const anchor = anchored();
  const laid = layOut(groups, sizes, folded);
  boxes = laid.boxes;
  stops = stopsOf(boxes, sizes);
  here = stops.find((stop) => isSame(stop, here)) ?? stops[0] ?? null;
  $("tiles").style.blockSize = `${laid.height}px`;
  hold(anchor);
  $("none").hidden = seen.length > 0;
  tally();
  paint();
  arranged = performance.now();
}

const isSame = (one, other) => one && other && one.photo === other.photo && (one.photo || one.key === other.key);

const wallTop = () => $("tiles").getBoundingClientRect().top;

// What is at the top of the window, where that is within the wall.
function anchored() {
  const top = wallTop();
  if (top >= 0 || $("wall").hidden) return null;
  const stop = stops.find(({ photo, bottom }) => photo && bottom + top > 0);
  return stop && { stop, y: stop.top + top };
}

// Has what was at the top of the window stay there.
function hold(anchor) {
  const stop = anchor && stops.find((one) => isSame(one, anchor.stop));
  if (!stop) return;
  const moved = stop.top + wallTop() - anchor.y;
  if (Math.abs(moved) > 1) scrollBy({ top: moved, behavior: "instant" });
}

// Makes what is near the window, and takes away what is not; what has the keyboard's place stays.
function paint() {
  cancelAnimationFrame(painting);
  if (!batch || $("wall").hidden) return;
  const top = wallTop();
  const from = isPrinting ? -Infinity : -top - NEAR;
  const to = isPrinting ? Infinity : innerHeight - top + NEAR;
  const focused = document.activeElement;
  const hasFocus = $("tiles").contains(focused);
  const wanted = boxes.filter(
    (box) => (box.top < to && box.top + box.height > from) || (hasFocus && box.key === here?.key),
  );
  const photos = new Map(wanted.map((box) => [box, photosIn(box, from, to, hasFocus)]));
  const kept = new Set([...photos.values()].flat());
  for (const photo of mounted) {
    if (kept.has(photo)) continue;
    photo.tile.discard();
    mounted.delete(photo);
  }
  for (const [key, section] of sections) {
    if (wanted.some((box) => box.key === key)) continue;
    section.remove();
    sections.delete(key);
  }
  inOrder(
    $("tiles"),
    wanted.map((box) => sectionOf(box, photos.get(box))),
  );
  for (const button of $("tiles").querySelectorAll("button[tabindex='0']")) button.tabIndex = -1;
  const button = buttonOf(here);
  if (button) button.tabIndex = 0;
  if (hasFocus && document.activeElement !== focused) button?.focus({ preventScroll: true });
}

// The photos of a group that are near the window, and the one that has the keyboard's place.
function photosIn(box, from, to, hasFocus) {
  if (!box.lines) return [];
  const line = sizes.height + sizes.gap;
  const top = box.top + box.over;
  const first = Math.max(0, Math.floor((from - top) / line)) * box.across;
  const last = Math.max(0, Math.ceil((to - top) / line)) * box.across;
  return box.photos.filter((photo, place) => (place >= first && place < last) || (hasFocus && photo === here?.photo));
}

function sectionOf(box, photos) {
  const { key, word } = box;
  let section = sections.get(key);
  if (!section) {
    section = $("group").content.firstElementChild.cloneNode(true);
    section.querySelector("h2").hidden = !key;
    section.dataset.key = key;
    sections.set(key, section);
  }
  const { style } = section;
  [style.insetInlineStart, style.insetBlockStart] = [`${box.left}px`, `${box.top}px`];
  [style.inlineSize, style.blockSize] = [`${box.width}px`, `${box.height}px`];
  const button = section.querySelector("button");
  const count = box.photos.length;
  if (section.dataset.count !== String(count)) {
    section.dataset.count = String(count);
    button.querySelector(".word").textContent = word;
    button.querySelector(".tally").textContent = count.toLocaleString(document.documentElement.lang);
    button.setAttribute("aria-label", say("wall-group", { word, count }));
  }
  button.setAttribute("aria-expanded", String(!folded.has(key)));
  const list = section.querySelector("ul");
  list.hidden = folded.has(key);
  const places = new Map(box.photos.map((photo, place) => [photo, place]));
  for (const photo of photos) {
    photo.tile ??= new Tile(photo);
    mounted.add(photo);
    const place = places.get(photo);
    photo.tile.put(placeIn(box, place, sizes), place + 1, count);
  }
  inOrder(
    list,
    photos.map((photo) => photo.tile.element),
  );
  return section;
}

// Has a parent exactly these children, and moves as few as it can.
function inOrder(parent, children) {
  let at = parent.firstElementChild;
  for (const child of children) {
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
  }
  while (at) {
    const next = at.nextElementSibling;
    at.remove();
    at = next;
  }
}

function tally() {
  for (const button of $("filter").children) {
    const count = batch.photos.filter(FILTERS[button.value]).length;
    button.querySelector(".tally").textContent = count.toLocaleString(document.documentElement.lang);
  }
}

// Has one of a group of buttons pressed.
function press(group, value) {
  for (const button of group.children) button.setAttribute("aria-pressed", String(button.value === value));
}

const buttonOf = (stop) =>
  stop && (stop.photo ? stop.photo.tile?.button : sections.get(stop.key)?.querySelector("h2 button"));

const stopOf = (button) => stops.find((stop) => buttonOf(stop) === button);

// Moves the keyboard's place, and the window where that is not in it.
function goTo(stop) {
  here = stop;
  const top = wallTop();
  const hidden = Math.min(0, stop.top + top) || Math.max(0, stop.bottom + top - innerHeight);
  if (hidden) scrollBy({ top: hidden + Math.sign(hidden) * sizes.head, behavior: "instant" });
  const focused = document.activeElement;
  if (focused instanceof HTMLElement && $("tiles").contains(focused)) focused.blur();
  paint();
  buttonOf(here)?.focus({ preventScroll: true });
}

$("tiles").onclick = (event) => {
  const stop = stopOf(event.target.closest("button"));
  if (!stop) return;
  here = stop;
  if (stop.photo) return openPhoto(stop.photo);
  if (!folded.delete(stop.key)) folded.add(stop.key);
  arrange();
};

$("tiles").onkeydown = (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || !/^(Arrow|Home|End)/.test(event.key)) return;
  event.preventDefault();
  const isMirrored = getComputedStyle($("tiles")).direction === "rtl";
  const key = isMirrored ? (MIRRORED[event.key] ?? event.key) : event.key;
  const stop = here && neighbor(stops, here, key);
  if (stop) goTo(stop);
};

const MIRRORED = { ArrowLeft: "ArrowRight", ArrowRight: "ArrowLeft" };

for (const button of $("filter").children) {
  button.onclick = () => {
    press($("filter"), button.value);
    sift();
  };
}

$("search").oninput = $("order").onchange = $("grouped").onchange = sift;

function sift() {
  order = new Map();
  arrange();
  announce(say("wall-found", { count: seen.length }));
}

for (const button of $("look").children) {
  button.onclick = () => {
    press($("look"), button.value);
    $("tiles").classList.toggle("as-rows", button.value === "rows");
    measure();
    arrange();
  };
}

// How many columns there is room for, and how large a tile is.
function measure() {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const room = $("tiles").getBoundingClientRect().width;
  const gap = rem * (isRows() ? GAP.rows : GAP.pictures);
  const columns = isRows() ? 1 : Math.max(2, Math.floor((room + gap) / (LEAST_WIDTH * rem + gap)));
  const width = (room + gap) / columns - gap;
  const height = isRows() ? ROW * rem : width * SHAPE;
  sizes = { columns, width, height, gap, head: HEAD * rem, between: BETWEEN * rem };
  $("tiles").style.setProperty("--width", `${width}px`);
  $("tiles").style.setProperty("--height", `${height}px`);
}

let measured = 0;

new ResizeObserver(([{ contentRect }]) => {
  if (!batch || !contentRect.width || contentRect.width === measured) return;
  measured = contentRect.width;
  measure();
  arrange();
}).observe($("tiles"));

const repaint = () => {
  cancelAnimationFrame(painting);
  painting = requestAnimationFrame(paint);
};
addEventListener("scroll", repaint, { passive: true });
addEventListener("resize", repaint);
for (const [event, now] of Object.entries({ beforeprint: true, afterprint: false })) {
  addEventListener(event, () => {
    isPrinting = now;
    paint();
  });
}
