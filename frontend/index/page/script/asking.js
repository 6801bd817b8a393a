// "Is it …?": a question about a photo, in one word or several, beside its answer, which stays.

import { suggestions } from "./known.js";
import { query, split } from "./query.js";
import { send, withParameter } from "./send.js";
import { say } from "./texts.js";
import { announce, errorFor } from "./words.js";

export async function askAbout(card, text) {
  const words = split(text);
  if (!words.length) return;
  const field = card.$(".ask input");
  const { blob } = card;
  const line = document.createElement("li");
  line.textContent = say("asking", { words: words.join(", ") });
  card.$(".asked").prepend(line);
  field.value = "";
  try {
    const asked = withParameter(query(words), "verdict");
    const { answer } = await send(blob, asked, new AbortController().signal, () => {});
    const { short, note } = answer.verdict;
    line.textContent =
      words.length > 1
        ? say("asked-of", { words: words.join(", "), answer: short })
        : say("asked", { answer: short, note });
    addSuggestions(line, answer.unknown ?? []);
  } catch (error) {
    line.textContent = error.unknown?.length ? "" : errorFor(error.code, error.status).words;
    addSuggestions(line, error.unknown ?? []);
  }
  announce(line.textContent);

  function addSuggestions(below, unknown) {
    if (!unknown.length) return;
    const list = document.createElement("ul");
    list.append(...suggestions(unknown, (_, word) => askAbout(card, word)));
    below.append(list);
  }
}
