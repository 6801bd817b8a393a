// The model's description: what it knows, and how large a file may be.

import { split } from "./query.js";
import { describe } from "./send.js";
import { say } from "./texts.js";
import { $, clamp } from "./words.js";

const SLOW = 1500; // milliseconds until the page says that the recognizer does not answer yet

const AT_ONCE = 3; // photos on their way while it is not known how many may be
const MOST_AT_ONCE = 5;

let model = null;

// Whether it knows its own words alone.
export const closed = () => model?.vocabulary === "closed";

// What it says of itself; null while it has not been heard.
export const described = () => model;

export const largest = () => model?.limits?.max_image_bytes ?? Infinity;

// How many photos of one visitor may be on their way: a quarter of the requests that the recognizer takes, so that there
// is room for others; as many as a browser sends to one host, less one, where it takes any number.
export function atOnce() {
  const most = model?.limits?.max_inflight;
  if (most === undefined) return AT_ONCE;
  return most === 0 ? MOST_AT_ONCE : clamp(Math.floor(most / 4), 1, MOST_AT_ONCE);
}

let asking;

// Whoever asks while somebody else does waits for the same answer.
export function introduce() {
  if (model) return Promise.resolve();
  asking ??= ask().finally(() => {
    asking = undefined;
  });
  return asking;
}

async function ask() {
  const tell = (text) => {
    $("model").textContent = text;
    $("model").hidden = !text;
  };
  const slow = setTimeout(() => tell(say("starting")), SLOW);
  try {
    model = await describe();
    tell("");
    fillIn(model);
  } catch {
    tell(say("no-answer-yet"));
  }
  clearTimeout(slow);
}

// A click on a guess asks where it was found: of a model that can say it.
export function letExplain(element) {
  for (const button of element.querySelectorAll(".chip, .guesses button")) button.disabled = !model?.explains;
}

// The same as choice.html has when the recognizer was there as the page was made.
function fillIn({ labels, everyday = [], labels_en = [], everyday_en = [], vocabulary, explains }) {
  const open = vocabulary === "open";
  $("labels-choice").textContent = say("choice-labels", { count: labels.length });
  $("everyday-choice").textContent = say("choice-everyday", { count: everyday.length });
  $("everyday-choice").closest("p").hidden = !everyday.length;
  $("own-choice").textContent = say(open ? "choice-own" : "choice-some");
  $("advanced").hidden = !open;
  const known = new Set([...labels, ...everyday]);
  $("known").replaceChildren(...[...known].map((word) => new Option(word)));
  if (!open) offerOnly(new Set([...known, ...labels_en, ...everyday_en]));
  document.documentElement.dataset.vocabulary = vocabulary;
  document.documentElement.toggleAttribute("data-explains", Boolean(explains));
  letExplain(document);
}

// A closed vocabulary: presets without the words that it lacks.
function offerOnly(known) {
  for (const preset of $("presets").querySelectorAll("button")) {
    const words = split(preset.dataset.words).filter((word) => known.has(word));
    preset.dataset.words = words.join(", ");
    preset.hidden = words.length < 2;
  }
}
