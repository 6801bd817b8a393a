// New photos: each gets a card, which listens to its buttons, and a place in the queue.

import { askAmong } from "./among.js";
import { askAbout } from "./asking.js";
import { answered, Card, copy } from "./card.js";
import { cards, current, MANY } from "./cards.js";
import { toggleHeat } from "./heat.js";
import { batches, open, shelve, showAgain, showOutcome } from "./outcome.js";
import { openSheet, PartSheet, tapped } from "./part.js";
import { cancel, retry, work } from "./queue.js";
import { remove } from "./removal.js";
import { offerShare } from "./share.js";
import { say } from "./texts.js";
import { $, announce, closeNotice } from "./words.js";

const CHUNK = 20; // cards made without a pause

const rest = () => new Promise((resolve) => setTimeout(resolve));

export async function add(files) {
  if (!files.length) return;
  closeNotice();
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
  announce(
    files.length === 1 ? say("looking-at", { name: files[0].name }) : say("in-the-queue", { count: files.length }),
  );
}

function listen(card) {
  card.$(".cancel").onclick = () => cancel(card);
  card.$(".retry").onclick = () => retry(card);
  card.$(".remove").onclick = () => remove([card]);
  card.$(".heat").onclick = (event) => toggleHeat(card, event.currentTarget);
  card.$(".part").onclick = () => new PartSheet(card, (part) => add([part]));
  card.$(".show").onclick = () => {
    if (card.element.parentElement === $("current")) open(card, !card.element.hasAttribute("data-opened"));
    else showAgain([card]);
  };
  card.$(".verdict").addEventListener("click", ({ target }) => {
    const button = target.closest(".chip, .guesses button");
    if (button) toggleHeat(card, button, button.value);
  });
  card.picture.onclick = async (event) => {
    const isWhole = card.element.parentElement === $("current") && !$("current").classList.contains("rows");
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
