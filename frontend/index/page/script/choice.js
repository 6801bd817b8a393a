// Choosing what the recognizer chooses from. The choice is in the address, so that a link has it.

import { current, MANY } from "./cards.js";
import { checkWords, whenReplaced } from "./known.js";
import { openSheet } from "./part.js";
import { choice, chosen, ownWords, split, wanted } from "./query.js";
import { work } from "./queue.js";
import { say } from "./texts.js";
import { lessons } from "./things.js";
import { $, announce, closeNotice } from "./words.js";

const NARROW = matchMedia("(max-width: 54rem)"); // where there is room for the answer alone

function addWords(words) {
  const there = new Set(ownWords().map((word) => word.toLowerCase()));
  for (const word of words) {
    if (there.has(word.toLowerCase())) continue;
    there.add(word.toLowerCase());
    const chip = document.createElement("li");
    const [text, remove] = ["span", "button"].map((kind) => document.createElement(kind));
    text.textContent = word;
    text.dir = "auto";
    remove.textContent = "×";
    remove.setAttribute("aria-label", say("take-out", { word }));
    remove.onclick = () => {
      /** @type {HTMLElement} */ (chip.nextElementSibling?.lastElementChild ?? $("labels")).focus();
      chip.remove();
      applyChoice();
    };
    chip.append(text, remove);
    $("chips").append(chip);
  }
}

// Takes the words over that are in the field.
function takeWords() {
  addWords(split($("labels").value));
  $("labels").value = "";
  $("own-words").checked = true;
  applyChoice();
}

export function writeAddress() {
  const address = new URL(location.href);
  for (const name of ["labels", "template", "vocabulary"]) address.searchParams.delete(name);
  for (const [name, value] of Object.entries(choice())) address.searchParams.set(name, value);
  history.replaceState(history.state, "", address);
}

// A few photos that are shown are looked at again at once; many only when that is asked for.
function applyChoice() {
  writeAddress();
  closeNotice();
  announce(say(`choose-${chosen() || "own"}`));
  if ($("unknown").children.length) checkWords();
  if (openSheet())
    openSheet().ask(); // the rectangle that is drawn is what the question is about
  else if (current().length < MANY) lookAgain();
  else offerToLookAgain();
}

// The photos that are shown and were asked something else.
const outdated = () =>
  current().filter((card) => !card.open && (card.query !== wanted() || (card.lesson ?? lessons()) !== lessons()));

export function offerToLookAgain() {
  $("again").hidden = !outdated().length;
}

function lookAgain() {
  for (const card of outdated()) card.queued();
  $("again").hidden = true;
  work();
}

$("again").firstElementChild.onclick = lookAgain;

for (const kind of $("choice").querySelectorAll("[name=vocabulary]")) {
  kind.onchange = () => (kind.value || ownWords().length ? applyChoice() : $("labels").focus());
}
for (const preset of $("presets").querySelectorAll("button")) {
  preset.onclick = () => {
    $("chips").replaceChildren();
    addWords(split(preset.dataset.words));
    applyChoice();
  };
}
$("labels").oninput = () => ($("own-words").checked = true);
$("add-words").onclick = $("labels").onchange = takeWords;
$("template").onchange = applyChoice;
$("labels").onkeydown = (event) => {
  if (!["Enter", ",", "，", "、", "،"].includes(event.key) || event.isComposing) return;
  event.preventDefault();
  takeWords();
};

whenReplaced((word, other) => {
  const words = ownWords().map((one) => (one === word ? other : one));
  $("chips").replaceChildren();
  addWords(words);
  applyChoice();
});

// The words that the address asks for stand in the field, as it is without JavaScript.
export function readAddress() {
  addWords(split($("labels").value));
  $("labels").value = "";
  if (NARROW.matches && chosen() === "all") $("words").open = false;
}
