// "Is it …?": a question about a photo, in one word or several, beside its answer, which stays.

import { suggestions } from "./known.js";
import { query, split } from "./query.js";
import { send, withParameter } from "./send.js";
import { say } from "./texts.js";
import { announce, errorFor } from "./words.js";

// As people write it: "a dog, the fox?"
function wordsOf(text) {
  const articles = say("asked-articles").split(",");
  const alternatives = articles.map((article) => (/['’]$/.test(article) ? article : `${article}\\s+`));
  const article = new RegExp(`^(?:${alternatives.join("|")})`, "i");
  return split(text.replace(/^\s*¿|[?？؟]\s*$/g, "")).map((word) => word.replace(article, ""));
}

export async function askAbout(card, text) {
  const words = wordsOf(text);
  if (!words.length) return;
  card.$(".ask input").value = "";
  const line = document.createElement("li");
  line.textContent = say("asking", { words: words.join(say("comma")) });
  card.$(".asked").prepend(line);
  let unknown = [];
  try {
    const asked = withParameter(query(words), "verdict");
    const { answer } = await send(card.blob, asked, new AbortController().signal, () => {});
    unknown = answer.unknown ?? [];
    const { short, note } = answer.verdict;
    const known = words.filter((word) => !unknown.some(({ label }) => label === word));
    line.textContent =
      known.length > 1
        ? say("asked-of", { words: known.join(say("comma")), answer: short })
        : say("asked", { answer: short, note });
  } catch (error) {
    unknown = error.unknown ?? [];
    line.textContent = unknown.length ? "" : errorFor(error.code, error.status).words;
  }
  const list = document.createElement("ul");
  list.className = "unknown";
  list.append(...suggestions(unknown, (_, word) => askAbout(card, word)));
  line.append(list);
  announce(line.textContent);
}
