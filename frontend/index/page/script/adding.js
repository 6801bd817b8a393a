// New photos: each gets a card, which listens to its buttons, and a place in the queue.

import { answered, Card, copy } from "./card.js";
import { cards, current, MANY } from "./cards.js";
import { toggleHeat } from "./heat.js";
import { batches, open, shelve, showAgain, showOutcome } from "./outcome.js";
import { PartSheet } from "./part.js";
import { cancel, retry, work } from "./queue.js";
import { remove } from "./removal.js";
import { offerShare } from "./share.js";
import { $, announce } from "./words.js";

const CHUNK = 20; // cards made without a pause

const rest = () => new Promise((resolve) => setTimeout(resolve));

export async function add(files) {
  if (!files.length) return;
  const joins = current().some((card) => card.open);
  if (!joins) {
    shelve();
    batches.push([]);
  }
  const batch = batches.at(-1);
  const few = current().length + files.length < MANY;
  for (let from = 0; from < files.length; from += CHUNK) {
    const added = files.slice(from, from + CHUNK).map((file) => new Card(file));
    for (const card of added) {
      if (few) card.preview(card.file); // of many, each is shown once it has been made small
      listen(card);
    }
    cards.push(...added);
    batch.push(...added);
    $("current").append(...added.map((card) => card.element));
    if (from === 0 && !joins) {
      history.pushState({ batch: batches.length - 1 }, "");
      showOutcome(added[0]);
    }
    work();
    if (!few) await rest();
  }
  announce(files.length === 1 ? `Looking at ${files[0].name}` : `${files.length} photos in the queue`);
}

function listen(card) {
  card.$(".cancel").onclick = () => cancel(card);
  card.$(".retry").onclick = () => retry(card);
  card.$(".next").onclick = () => $("another").click();
  card.$(".remove").onclick = () => remove([card]);
  card.$(".heat").onclick = () => toggleHeat(card);
  card.$(".part").onclick = () => new PartSheet(card, (part) => add([part]));
  card.$(".show").onclick = () => {
    if (card.element.parentElement === $("current")) open(card, !card.element.hasAttribute("data-opened"));
    else showAgain([card]);
  };
  for (const button of card.element.querySelectorAll(".copy")) {
    const source = card.$(`.${button.dataset.copies}`);
    button.onclick = () => answered(button, () => copy(source.textContent, source));
  }
  offerShare(card);
}
