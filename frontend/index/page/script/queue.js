// Which photos are on their way to the recognizer.

import { cards, current, MANY } from "./cards.js";
import { introduce, largest } from "./model.js";
import { wanted } from "./query.js";
import { send, withParameter } from "./send.js";
import { shrink } from "./shrink.js";
import { say } from "./texts.js";
import { Trouble } from "./trouble.js";
import { announce } from "./words.js";

const AT_ONCE = 3; // photos on their way: fair to others, and enough to keep a recognizer busy
const TRIES = 5; // of a photo that a busy recognizer refuses
const LONGEST_WAIT = 300; // seconds; a longer wait is left to the visitor

const underway = new Map(); // from a card on its way to what stops it
let resume = 0; // when a busy recognizer is asked again, on the clock of performance.now()

let changed = () => {};

// Calls `tell` whenever a photo may have changed.
export function whenChanged(tell) {
  changed = tell;
}

export function work() {
  while (underway.size < AT_ONCE && performance.now() >= resume) {
    const card = cards.find((card) => card.state === "waiting");
    if (!card) break;
    const stop = new AbortController();
    underway.set(card, stop);
    recognize(card, stop.signal).then(() => {
      underway.delete(card);
      work();
    });
  }
  changed();
}

async function recognize(card, signal) {
  const query = wanted();
  try {
    card.working("preparing");
    if (!card.blob) {
      Object.assign(card, await shrink(card.file));
      if (card.blob !== card.file || !card.url) card.preview(card.blob);
    }
    if (card.blob.size > largest()) throw new Trouble("body_too_large", 413);
    signal.throwIfAborted();
    card.working("sending", 0);
    let asked = withParameter(query, "verdict");
    if (!card.opens && !card.answer) asked = withParameter(asked, "preview"); // which it gives once
    const reply = await send(card.blob, asked, signal, (share) =>
      share < 1 ? card.working("sending", share) : card.working("looking"),
    );
    card.done(reply, query);
    introduce();
  } catch (error) {
    const { retryAfter } = error;
    if (error.name === "AbortError") card.canceled();
    else if (retryAfter && retryAfter <= LONGEST_WAIT && card.tries < TRIES - 1) pause(card, retryAfter);
    else card.failed(error instanceof Trouble ? error : new Trouble("internal"));
  }
  if (!card.open && current().length < MANY) announce(say("named", { name: card.name, said: card.short }));
}

// The whole queue waits when a card was refused.
function pause(card, wait) {
  resume = Math.max(resume, performance.now() + 1000 * wait);
  card.busy(wait);
  announce(say("busy-again", { seconds: wait }));
  setTimeout(() => {
    if (card.state === "busy") card.say("waiting", say("queued"), say("waiting"));
    work();
  }, 1000 * wait);
}

export function retry(card) {
  resume = 0;
  card.queued();
  work();
}

export function cancel(card) {
  if (underway.has(card)) underway.get(card).abort();
  else card.canceled();
  changed();
}

window.ononline = () => {
  for (const card of cards.filter((card) => card.state === "failed" && card.code === "offline")) retry(card);
};
