// Which photos are on their way to the recognizer.

import { isAway, maybeItself, pauseAfter, triedEnough } from "./away.js";
import { cards, current, MANY } from "./cards.js";
import { shownThing, usedThings, withThing } from "./matching.js";
import { atOnce, introduce, largest } from "./model.js";
import { countAnswer, forgetPace } from "./pace.js";
import { Photo } from "./photo.js";
import { wanted } from "./query.js";
import { send, withParameter } from "./send.js";
import { shrink } from "./shrink.js";
import { say } from "./texts.js";
import { lessons, taught } from "./things.js";
import { Trouble } from "./trouble.js";
import { announce } from "./words.js";

const TRIES = 5; // of a card that a busy recognizer refuses
const LONGEST_WAIT = 300; // seconds; a longer wait for a card is left to the visitor
const PREPARED_AT_ONCE = 2; // photos of a wall
const PREPARED_AHEAD = 20; // photos of a wall in memory, where the browser does not keep them

const underway = new Map(); // from a card or photo on its way to what stops it
let preparing = 0;
let resume = 0; // when the recognizer is asked again, on the clock of performance.now()
let waking = 0; // the timer for that
let failures = 0; // tries since the last answer that met a recognizer which is away
let trouble = null; // the last of them

let changed = () => {};

// Calls `tell` whenever a photo may have changed.
export function whenChanged(tell) {
  changed = tell;
}

// What is in the way while photos wait for a recognizer that is away: {trouble, seconds}, else null.
export const obstacle = () =>
  trouble && { trouble, seconds: Math.max(0, Math.ceil((resume - performance.now()) / 1000)) };

export function work() {
  // A recognizer that was away is asked about one photo first.
  const room = failures ? 1 : atOnce();
  while (underway.size < room && performance.now() >= resume) {
    const card = next();
    if (!card) break;
    const stop = new AbortController();
    underway.set(card, stop);
    recognize(card, stop.signal).then(() => {
      underway.delete(card);
      work();
    });
  }
  wake();
  prepareAhead();
  changed();
}

// Comes back when the recognizer is to be asked again.
function wake() {
  clearTimeout(waking);
  const wait = resume - performance.now();
  if (wait > 0) waking = window.setTimeout(work, Math.ceil(wait));
}

// Cards first, as somebody looks at them; then what has been tried least often.
function next() {
  let best;
  for (const card of cards) {
    if (card.state !== "waiting" || card.batch?.stopped) continue;
    if (!(card instanceof Photo)) return card;
    if (!best || card.tries < best.tries) best = card;
  }
  return best;
}

// Photos of a wall are made small before their turn, so that they are seen, and kept.
function prepareAhead() {
  while (preparing < PREPARED_AT_ONCE) {
    const photo = cards.find((card) => card instanceof Photo && !card.preparation && !card.prepared);
    if (!photo || (!photo.batch.keeps && inMemory() >= PREPARED_AHEAD)) return;
    preparing += 1;
    photo
      .prepare()
      .catch((error) => photo.failed(error instanceof Trouble ? error : new Trouble("internal")))
      .then(() => {
        preparing -= 1;
        work();
      });
  }
}

const inMemory = () => cards.filter((card) => card instanceof Photo && card.blob && card.open).length;

async function recognize(card, signal) {
  const query = wanted();
  try {
    card.working("preparing");
    if (card instanceof Photo) await card.load();
    else if (!card.blob) {
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
    [failures, trouble] = [0, null];
    countAnswer();
    await leadWithThing(card, query, reply, signal);
    card.reply = reply;
    card.done(reply, query);
    introduce();
  } catch (error) {
    const { retryAfter } = error;
    if (error.name === "AbortError") {
      if (card.batch?.stopped) card.later();
      else card.canceled();
    } else if (card instanceof Photo && isAway(error) && !triedEnough(card.tries)) postpone(card, error);
    else if (!(card instanceof Photo) && retryAfter && retryAfter <= LONGEST_WAIT && card.tries < TRIES - 1)
      pause(card, retryAfter);
    else {
      if (error.status && !isAway(error)) [failures, trouble] = [0, null]; // it is there, and has said what is wrong
      card.trouble = error instanceof Trouble ? error : new Trouble("internal");
      card.failed(card.trouble);
    }
  }
  if (!card.open && current().length < MANY) announce(say("named", { name: card.name, said: card.short }));
}

// A thing that the visitor has taught comes first, unless the question is about words of their own. Where that cannot be
// compared, the answer itself is there.
async function leadWithThing(card, query, reply, signal) {
  card.lesson = lessons();
  if (taught().length) await introduce(); // which says what model it is
  if (!usedThings().length || new URLSearchParams(query).has("labels")) return;
  try {
    const thing = await shownThing(card.blob, signal);
    if (thing) reply.answer.verdict = withThing(reply.answer.verdict, thing);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    card.lesson = undefined;
    reply.answer.verdict.note += ` · ${say("teach-not-compared")}`;
  }
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

// The whole queue waits for a recognizer that is away. Of several photos that meet this together, one counts.
function postpone(photo, error) {
  if (maybeItself(error)) photo.tries += 1;
  photo.later();
  trouble = error;
  forgetPace();
  const now = performance.now();
  if (now >= resume) failures += 1;
  const then = now + 1000 * pauseAfter(failures, error.retryAfter ?? 0);
  if (now >= resume || error.retryAfter) resume = Math.max(resume, then);
  wake();
}

// Does not wait any longer.
export function askNow() {
  resume = 0;
  work();
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

// A batch that is stopped keeps its place in the queue.
export function stop(batch) {
  batch.stopped = true;
  for (const [card, abort] of underway) if (card.batch === batch) abort.abort();
  batch.keepState();
  changed();
}

export function goOn(batch) {
  batch.stopped = false;
  forgetPace();
  batch.keepState();
  askNow();
}

window.ononline = () => {
  for (const card of cards.filter((card) => card.state === "failed" && card.code === "offline")) retry(card);
  askNow();
};
