// What the recognizer says of a photo when it chooses among its own labels: a footnote in the details, asked for when
// these are opened.

import { inLanguage } from "./language.js";
import { send, withParameter } from "./send.js";
import { errorFor } from "./words.js";

export async function askAmong(card) {
  const { query, blob } = card;
  const parameters = new URLSearchParams(query);
  const asksForThem = parameters.has("labels") || parameters.get("vocabulary") === "labels";
  if (asksForThem || !card.answer || card.of === card.answer) return;
  card.of = card.answer; // once for each answer
  try {
    const { answer } = await send(
      blob,
      withParameter(inLanguage({}), "verdict"),
      new AbortController().signal,
      () => {},
    );
    if (card.query === query) card.among(answer.verdict.footnote, answer.verdict.guesses);
  } catch (error) {
    card.of = null;
    card.among(errorFor(error.code, error.status).words, []);
  }
}
