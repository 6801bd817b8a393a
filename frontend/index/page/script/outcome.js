// Which of the views is seen: the start, a few photos with what they show, a wall of many, or one photo of a wall. Each
// batch has its place in the browser's history, and so has a photo that was opened from a wall.

import { Batch, whenPhotoChanges } from "./batch.js";
import { cards, current, MANY, view } from "./cards.js";
import { offerToLookAgain, writeAddress } from "./choice.js";
import { openSheet } from "./part.js";
import { whenChanged } from "./queue.js";
import { tellRun } from "./run.js";
import { summarize } from "./summary.js";
import { say } from "./texts.js";
import { focusOn, hang, noteChange, takeDown } from "./wall.js";
import { $, TITLE } from "./words.js";

export const batches = []; // lists of cards, and walls; a place in the history has the number of its batch

let enlarge = (_photo) => {};
let shelved = () => {};

// Calls `open` with a photo of a wall that is to be seen large.
export function whenOpened(open) {
  enlarge = open;
}

// Calls `tell` when a batch has come or gone.
export function whenShelved(tell) {
  shelved = tell;
}

export function showAgain(batch) {
  shelve();
  if (!batches.includes(batch)) batches.push(batch);
  history.pushState({ batch: batches.indexOf(batch) }, "");
  show(batch);
}

function show(batch) {
  if (batch instanceof Batch) return showWall(batch);
  $("current").append(...batch.map((card) => card.element));
  showOutcome(batch[0].$(".best"));
}

export function showWall(batch) {
  const before = view.photo;
  closePhoto();
  view.batch = batch;
  showOutcome(null);
  hang(batch, openLarge);
  if (before?.batch === batch) focusOn(before);
  else {
    $("count").focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }
}

function openLarge(photo) {
  const state = { batch: batches.indexOf(photo.batch), photo: photo.place };
  if (view.photo) history.replaceState(state, "");
  else history.pushState(state, "");
  showPhoto(photo);
}

export function showPhoto(photo) {
  closePhoto();
  view.photo = photo;
  enlarge(photo);
}

function closePhoto() {
  openSheet()?.close();
  if (!view.photo) return;
  view.photo.hide();
  view.photo = null;
  $("large").hidden = true;
  $("current").replaceChildren();
}

// What is seen goes to the earlier ones. A wall that stays is left as it is.
export function shelve(staying = null) {
  closePhoto();
  if (view.batch && view.batch !== staying) {
    takeDown();
    view.batch = null;
  }
  for (const card of current()) if (card.element) $("past").prepend(card.element);
  shelved();
}

// `place` gets the keyboard's place.
export function showOutcome(place) {
  $("start").hidden = true;
  $("outcome").hidden = $("another").hidden = false;
  offerToLookAgain();
  shelved();
  progress();
  if (!place) return;
  place.focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

// What is still on its way goes on, among the earlier ones.
export function showStart() {
  shelve();
  $("start").hidden = false;
  $("outcome").hidden = $("another").hidden = $("again").hidden = true;
  progress();
  $("photo").focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

// After each change of a card, of the view or of the filter.
export function progress() {
  const all = current();
  $("earlier").hidden = !$("past").children.length;
  $("current").classList.toggle("several", all.length > 1 && all.length < MANY);
  summarize(all);
  tellRun(view.photo ? null : view.batch);
  warnOfLoss();
  const [card] = all;
  const said = all.length > 1 ? $("count").textContent : card && (card.open ? say("looking") : card.short);
  document.title = said ? say("page-title", { said, title: TITLE }) : TITLE;
}

// The browser asks before the page is left while it has what nobody keeps.
function warnOfLoss() {
  const walls = batches.filter((batch) => batch instanceof Batch && batch.photos.some((photo) => photo.isLost));
  window.onbeforeunload = walls.length ? (event) => event.preventDefault() : null;
}

$("another").onclick = () => $("photo").click();

window.onpopstate = () => {
  writeAddress(); // the choice is the same in all places
  const { batch: number, photo: place } = history.state ?? {};
  const batch = batches[number];
  if (batch instanceof Batch && batch.photos.length) {
    if (view.batch !== batch) shelve();
    const photo = batch.photos.find((one) => one.place === place);
    view.batch = batch;
    if (!photo) return showWall(batch);
    showOutcome(null);
    hang(batch, openLarge);
    return showPhoto(photo);
  }
  const there = batch instanceof Batch ? [] : (batch ?? []).filter((card) => cards.includes(card));
  if (!there.length) return showStart();
  shelve();
  show(there);
};

whenChanged(progress);
whenPhotoChanges(noteChange);
