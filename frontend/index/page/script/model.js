// The model's description: what it knows, and how large a file may be.

import { split } from "./query.js";
import { describe } from "./send.js";
import { say } from "./texts.js";
import { $ } from "./words.js";

const SLOW = 1500; // milliseconds until the page says that the recognizer does not answer yet

let model = null;

// Whether it knows its own words alone.
export const closed = () => model?.vocabulary === "closed";

export const largest = () => model?.limits?.max_image_bytes ?? Infinity;

export async function introduce() {
  if (model) return;
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
function fillIn({ labels, everyday = [], vocabulary, explains }) {
  const open = vocabulary === "open";
  $("labels-choice").textContent = say("choice-labels", { count: labels.length });
  $("everyday-choice").textContent = say("choice-everyday", { count: everyday.length });
  $("everyday-choice").closest("p").hidden = !everyday.length;
  $("own-choice").textContent = say(open ? "choice-own" : "choice-some");
  $("advanced").hidden = !open;
  const known = new Set([...labels, ...everyday]);
  $("known").replaceChildren(...[...known].map((word) => new Option(word)));
  if (!open) offerOnly(known);
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
