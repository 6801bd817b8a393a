// The walls that are not seen: of this window, and those that the browser keeps from before. A reload goes on with the one
// that was seen; the others are offered.

import { Batch, whenKept } from "./batch.js";
import { cards, view } from "./cards.js";
import { drop, isFree, listed, taken } from "./kept.js";
import { batches, showAgain, showStart, whenShelved } from "./outcome.js";
import { work } from "./queue.js";
import { say } from "./texts.js";
import { $, notice } from "./words.js";

const SEEN = "batch"; // in the window's own storage: the number of the batch that is seen
const TURNS = 10;
const TURN_EVERY = 100; // milliseconds

const MOMENT = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

let telling = 0;

// Lists them anew.
async function listThem() {
  telling += 1;
  const turn = telling;
  if (view.batch?.id) remember(view.batch.id);
  else if (!view.batch) remember(null);
  const here = batches.filter((batch) => batch instanceof Batch && batch !== view.batch && batch.photos.length);
  const ours = new Set(batches.map((batch) => batch.id).filter(Boolean));
  const kept = [];
  for (const record of await listed().catch(() => [])) {
    if (!ours.has(record.id) && (await isFree(record.id))) kept.push(record);
  }
  if (turn !== telling) return;
  $("kept").hidden = !here.length && !kept.length;
  $("kept-list").replaceChildren(
    ...here.map((batch) =>
      row(
        batch.made,
        batch.photos.length,
        batch.answered,
        () => showAgain(batch),
        () => forgetBatch(batch),
      ),
    ),
    ...kept.map(({ id, made, count, answered }) =>
      row(
        made,
        count,
        answered,
        () => restore(id),
        () => askToForget(count, () => drop(id)),
      ),
    ),
  );
}

function row(made, count, done, show, forget) {
  const element = $("kept-batch").content.firstElementChild.cloneNode(true);
  const [what, open, away] = element.children;
  what.textContent = say("wall-of", { moment: MOMENT.format(made), count, done });
  open.textContent = say("wall-show");
  open.onclick = show;
  away.textContent = say("wall-delete");
  away.onclick = forget;
  return element;
}

function remember(id) {
  try {
    if (id === null) sessionStorage.removeItem(SEEN);
    else sessionStorage.setItem(SEEN, String(id));
  } catch {
    // A window without storage of its own begins anew.
  }
}

function remembered() {
  try {
    return Number(sessionStorage.getItem(SEEN)) || null;
  } catch {
    return null;
  }
}

// Goes on with a batch that was kept; whether there is one.
async function restore(id) {
  const found = await taken(id).catch(() => null);
  if (!found) return false;
  const batch = Batch.restored(found);
  if (!batch.photos.length) {
    await batch.forget();
    return true;
  }
  cards.push(...batch.photos);
  showAgain(batch);
  work();
  return true;
}

function forgetBatch(batch) {
  askToForget(batch.photos.length, async () => {
    for (const photo of batch.photos) if (cards.includes(photo)) cards.splice(cards.indexOf(photo), 1);
    if (view.batch === batch) showStart();
    batches[batches.indexOf(batch)] = [];
    await batch.forget();
  });
}

function askToForget(count, act) {
  $("forgetting-question").textContent = say("wall-delete-these", { count });
  $("really-forget").onclick = async () => {
    $("forgetting").close();
    await act();
    notice(say("wall-deleted", { count }));
    listThem();
  };
  $("forgetting").showModal();
  $("keep-them").focus();
}

$("keep-them").onclick = () => $("forgetting").close();
$("forget").onclick = () => forgetBatch(view.batch);

// The window that had the batch may not have let go of it yet.
async function goOnAfterReload() {
  const id = remembered();
  for (let tries = 0; id && tries < TURNS; tries += 1) {
    if (batches.length || (await restore(id))) break;
    await new Promise((resolve) => setTimeout(resolve, TURN_EVERY));
  }
  whenShelved(listThem);
  whenKept(listThem);
  listThem();
}

goOnAfterReload();
