// What the visitor wants to choose from, as a query: everything, the model's words, everyday things, or words of their
// own.

import { inLanguage } from "./language.js";
import { $ } from "./words.js";

export const chosen = () => $("choice").querySelector(":checked").value;
export const ownWords = () => [...$("chips").children].map((chip) => chip.firstElementChild.textContent);
export const split = (text) =>
  text
    .split(/[,，、،]/) // as the recognizer has them between labels
    .map((word) => word.trim())
    .filter(Boolean);

const EVERYTHING = { vocabulary: "all", tags: "1" };

// What stands in the address: {} for everything, which is what the page asks for by itself.
/** @returns {Record<string, string>} */
export function choice() {
  if (chosen() !== "") return chosen() === "all" ? {} : { vocabulary: chosen() };
  const words = [...ownWords(), ...split($("labels").value)];
  const template = $("advanced").hidden ? "" : $("template").value.trim();
  return words.length ? { labels: words.join(","), ...(template && { template }) } : {};
}

// The query that makes the recognizer choose between these words; those that it does not know are left out.
export const query = (words) => inLanguage({ labels: words.join(","), unknown: "skip" });

// The query that makes the recognizer choose between what the visitor wants.
export function wanted() {
  const asked = choice();
  if (asked.labels) return inLanguage({ ...asked, unknown: "skip" });
  return inLanguage(asked.vocabulary ? { ...asked, tags: "1" } : EVERYTHING);
}
