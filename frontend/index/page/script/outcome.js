// Which of the two views is seen: the start, or a batch of photos with what they show. Each batch has its place in the
// browser's history.

import { cards, current, MANY } from "./cards.js";
import { offerToLookAgain, writeAddress } from "./choice.js";
import { openSheet } from "./part.js";
import { whenChanged } from "./queue.js";
import { summarize } from "./summary.js";
import { $, TITLE } from "./words.js";

export const batches = []; // of cards; a place in the history has the number of its batch

// A row opens to the whole card.
export function open(card, whether) {
  card.element.toggleAttribute("data-opened", whether);
  card.$(".show").textContent = whether ? "Less" : "Show";
  card.$(".show").setAttribute("aria-expanded", String(whether));
}

export function showAgain(batch) {
  shelve();
  batches.push(batch);
  history.pushState({ batch: batches.length - 1 }, "");
  show(batch);
}

function show(batch) {
  $("current").append(...batch.map((card) => card.element));
  showOutcome(batch[0]);
}

export function shelve() {
  openSheet()?.close();
  for (const card of current()) {
    open(card, false);
    card.$(".show").removeAttribute("aria-expanded");
    $("past").prepend(card.element);
  }
  $("current").dataset.filter = "";
}

export function showOutcome(card) {
  $("start").hidden = true;
  $("outcome").hidden = $("another").hidden = false;
  offerToLookAgain();
  progress();
  card.$(".best").focus({ preventScroll: true });
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
  $("current").classList.toggle("rows", all.length >= MANY);
  summarize(all);
  const [card] = all;
  const said = all.length > 1 ? $("count").textContent : card && (card.open ? "Looking…" : card.short);
  document.title = said ? `${said} · ${TITLE}` : TITLE;
}

$("another").onclick = () => $("photo").click();

window.onpopstate = () => {
  writeAddress(); // the choice is the same in all places
  const batch = (batches[history.state?.batch] ?? []).filter((card) => cards.includes(card));
  if (!batch.length) return showStart();
  shelve();
  show(batch);
};

for (const button of $("filter").children) {
  button.onclick = () => {
    $("current").dataset.filter = button.value;
    progress();
  };
}

whenChanged(progress);
