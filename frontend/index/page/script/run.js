// How a batch is getting on: its progress, how long the rest takes or what it waits for, and the ways to stop it, to go on
// and to try again.

import { view } from "./cards.js";
import { FILTERS } from "./groups.js";
import { secondsFor } from "./pace.js";
import { askNow, goOn, obstacle, stop, work } from "./queue.js";
import { say } from "./texts.js";
import { $, announce } from "./words.js";

const HOUR = 3600;
const BUSY_STATUS = [429, 503];

let clock = 0;
let announced = false; // that the recognizer is away

// Says how the batch is getting on; null where none is seen.
export function tellRun(batch) {
  clearInterval(clock);
  $("run").hidden = !batch;
  if (!batch) return;
  tell(batch);
  if (batch.photos.some((photo) => photo.open) && !batch.stopped) clock = window.setInterval(() => tell(batch), 1000);
}

function tell(batch) {
  const open = batch.photos.filter((photo) => photo.open).length;
  const failed = batch.photos.filter(FILTERS.failed).length;
  const running = open > 0 && !batch.stopped;
  const hindered = running ? obstacle() : null;
  $("run-progress").max = batch.photos.length;
  $("run-progress").value = batch.photos.length - open;
  $("run-progress").hidden = !open;
  offer("stop", running);
  offer("go-on", open > 0 && batch.stopped);
  offer("ask-now", Boolean(hindered) && hindered.seconds > 1);
  offer("try-failed", failed > 0);
  $("try-failed").textContent = say("wall-try-failed", { count: failed });
  const notes = [];
  if (open && batch.stopped) notes.push(say("wall-stopped", { count: open }));
  else if (hindered) notes.push(hindrance(hindered));
  else if (open) notes.push(left(secondsFor(open)));
  if (!batch.keeps) notes.push(say("wall-not-kept"));
  if (batch.lost) notes.push(say("wall-lost", { count: batch.lost }));
  $("run-note").textContent = notes.filter(Boolean).join(" ");
  if (hindered && !announced) announce(hindrance(hindered));
  announced = Boolean(hindered);
}

function hindrance({ trouble, seconds }) {
  if (trouble.code === "offline") return say("wall-offline");
  if (!seconds) return say("wall-asking");
  return say(BUSY_STATUS.includes(trouble.status) ? "wall-busy" : "wall-away", { count: seconds });
}

function left(seconds) {
  if (seconds === undefined) return "";
  if (seconds < 60) return say("wall-seconds-left");
  if (seconds < HOUR) return say("wall-minutes-left", { count: Math.ceil(seconds / 60) });
  return say("wall-hours-left", { count: Math.ceil(seconds / HOUR) });
}

// A button that goes away must not take the keyboard's place with it.
function offer(id, whether) {
  const had = document.activeElement === $(id);
  $(id).hidden = !whether;
  if (had && !whether) [...$("run-actions").children].find((button) => !button.hidden)?.focus();
}

$("stop").onclick = () => {
  const { batch } = view;
  stop(batch);
  $("go-on").focus();
  announce($("run-note").textContent);
};

$("go-on").onclick = () => {
  goOn(view.batch);
  $("stop").focus();
};

$("ask-now").onclick = askNow;

$("try-failed").onclick = () => {
  for (const photo of view.batch.photos.filter(FILTERS.failed)) photo.queued();
  if (view.batch.stopped) goOn(view.batch);
  else work();
  $("count").focus({ preventScroll: true });
};
