// Taking photos away, and the way back.

import { cards, current, within } from "./cards.js";
import { progress, showStart } from "./outcome.js";
import { cancel } from "./queue.js";
import { say } from "./texts.js";
import { $, notice } from "./words.js";

let removed = []; // [{card, list, next}]: the last ones that were taken away, and where they were

export function remove(gone) {
  for (const { card } of removed) card.discard();
  removed = [];
  const had = gone.some((card) => card.element.contains(document.activeElement));
  for (const card of gone) {
    if (card.open) cancel(card);
    removed.push({ card, list: card.element.parentElement, next: card.element.nextElementSibling });
    card.element.remove();
    cards.splice(cards.indexOf(card), 1);
  }
  const place = removed[0].next?.isConnected ? removed[0].next.querySelector(".best") : $("another");
  if (!$("outcome").hidden && !current().length) showStart();
  else progress();
  if (had) (place.checkVisibility() ? place : $("start").hidden ? $("another") : $("photo")).focus();
  notice(
    gone.length === 1 ? say("removed", { name: gone[0].name }) : say("removed-several", { count: gone.length }),
    undo,
  );
}

function undo() {
  for (const { card, list, next } of removed.reverse()) {
    const there = list === $("current") && $("outcome").hidden ? $("past") : list;
    there.insertBefore(card.element, next?.parentElement === there ? next : null);
    cards.push(card);
  }
  const [{ card }] = removed;
  removed = [];
  progress();
  card.$(".best").focus();
}

$("clear").onclick = () => {
  remove(within($("past")));
  ($("start").hidden ? $("another") : $("photo")).focus();
};
