// Which of the visitor's words the recognizer does not know, and what they may mean. Only it can say that: it knows words
// in the singular and the plural, and in other spellings.

import { closed } from "./model.js";
import { ownWords, query } from "./query.js";
import { send, withParameter } from "./send.js";
import { jpeg } from "./smaller.js";
import { say } from "./texts.js";
import { $ } from "./words.js";

const SMALL = 32; // pixels of the empty picture that goes with a question about words alone

let inTheChoice = (_word, _other) => {};

// `replace` puts one word of the choice in the place of another, and asks again.
export function whenReplaced(replace) {
  inTheChoice = replace;
}

// `unknown` is a list of {label, near} from an answer or an error.
export function markUnknown(unknown) {
  const words = new Set(unknown.map(({ label }) => label));
  for (const chip of $("chips").children)
    chip.classList.toggle("unknown-word", words.has(chip.firstElementChild.textContent));
}

// A line for each of these words, with a button for what it may mean, which calls `take` with both.
export const suggestions = (unknown, take = inTheChoice) => unknown.map((one) => suggestion(one, take));

function suggestion({ label, near = [] }, take) {
  const line = document.createElement("li");
  line.append(say("unknown", { word: label }), " ");
  for (const word of near) {
    const button = document.createElement("button");
    button.className = "quiet";
    button.textContent = say("take-instead", { word });
    button.type = "button";
    button.onclick = () => take(label, word);
    line.append(button, " ");
  }
  return line;
}

// The words of a link, before there is a photo: asks about an empty picture, as the answer has the words that are not known.
export async function checkWords() {
  $("unknown").replaceChildren();
  const words = ownWords();
  if (!closed() || !words.length) return;
  const asked = withParameter(query(words), "top_k");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [SMALL, SMALL];
  let unknown = [];
  try {
    const { answer } = await send(await jpeg(canvas, SMALL, SMALL), asked, new AbortController().signal, () => {});
    unknown = answer.unknown ?? [];
  } catch (error) {
    unknown = error.unknown ?? []; // all of them; what else goes wrong is said when there is a photo
  }
  if (String(ownWords()) !== String(words)) return;
  markUnknown(unknown);
  $("unknown").replaceChildren(...suggestions(unknown));
}
