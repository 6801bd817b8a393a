// New photos: a few get a card each, which listens to its buttons; many become a wall. All get a place in the queue.

import { askAmong } from "./among.js";
import { askAbout } from "./asking.js";
import { Batch } from "./batch.js";
import { answered, Card, copy } from "./card.js";
import { cards, current, MANY, view } from "./cards.js";
import { toggleHeat } from "./heat.js";
import { batches, shelve, showAgain, showOutcome, showWall } from "./outcome.js";
import { openSheet, PartSheet, tapped } from "./part.js";
import { cancel, retry, work } from "./queue.js";
import { remove } from "./removal.js";
import { offerShare } from "./share.js";
import { say } from "./texts.js";
import { $, announce, closeNotice } from "./words.js";

const CHUNK = 100; // photos added without a pause

const rest = () => new Promise((resolve) => setTimeout(resolve));

// They join the photos that are seen while one of those waits for its answer.
export async function add(files) {
  if (!files.length) return;
  closeNotice();
  const before = !view.photo && current().some((card) => card.open) ? (view.batch ?? current()) : [];
  if (before instanceof Batch || before.length + files.length >= MANY) await addToWall(files, before);
  else addCards(files, before);
  announce(
    files.length === 1 ? say("looking-at", { name: files[0].name }) : say("in-the-queue", { count: files.length }),
  );
}

function addCards(files, before) {
  const added = files.map((file) => new Card(file));
  for (const card of added) {
    card.preview(card.file);
    listen(card);
  }
  cards.push(...added);
  if (before.length) batchOf(before[0]).push(...added);
  else {
    shelve();
    batches.push([...added]);
  }
  $("current").append(...added.map((card) => card.element));
  if (!before.length) {
    history.pushState({ batch: batches.length - 1 }, "");
    showOutcome(added[0].$(".best"));
  }
  work();
}

const batchOf = (card) => batches.find((batch) => Array.isArray(batch) && batch.includes(card));

async function addToWall(files, before) {
  const wall = before instanceof Batch ? before : new Batch();
  const joined = Array.isArray(before) && before.length ? before : [];
  for (let from = 0; from < files.length; from += CHUNK) {
    await rest();
    if (from === 0 && joined.length) takeOver(wall, joined);
    cards.push(...wall.add(files.slice(from, from + CHUNK)));
    if (from > 0 || wall === before) wall.changed(null);
    else if (joined.length) showWall(wall);
    else showAgain(wall);
    work();
  }
  wall.keepState();
}

// A wall takes the place of a few cards, with what they know.
function takeOver(wall, few) {
  batches[batches.indexOf(batchOf(few[0]))] = wall;
  for (const card of few) {
    const [photo] = wall.add([card.file]);
    photo.takeOver(card);
    if (card.open) cancel(card);
    cards.splice(cards.indexOf(card), 1, photo);
    card.element.remove();
    card.discard();
  }
}

export function listen(card) {
  card.$(".cancel").onclick = () => cancel(card);
  card.$(".retry").onclick = () => retry(card);
  card.$(".remove").onclick = () => remove([card]);
  card.$(".heat").onclick = (event) => toggleHeat(card, event.currentTarget);
  card.$(".part").onclick = () => new PartSheet(card, (part) => add([part]));
  card.$(".show").onclick = () => showAgain([card]);
  card.$(".verdict").addEventListener("click", ({ target }) => {
    const button = target.closest(".chip, .guesses button");
    if (button) toggleHeat(card, button, button.value);
  });
  card.picture.onclick = async (event) => {
    const isWhole = card.element.parentElement === $("current");
    const part = isWhole && !openSheet() && ["done", "unsure"].includes(card.state) && (await tapped(card, event));
    if (part) add([part]);
  };
  card.$(".ask").onsubmit = (event) => {
    event.preventDefault();
    askAbout(card, card.$(".ask input").value);
  };
  card.$(".more").ontoggle = () => card.$(".more").open && askAmong(card);
  for (const button of card.element.querySelectorAll(".copy")) {
    const source = card.$(`.${button.dataset.copies}`);
    button.onclick = () => answered(button, () => copy(source.textContent, source));
  }
  offerShare(card);
}
