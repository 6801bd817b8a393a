// What the visitor wants to choose from, as a query: the model's words, everyday things, or words of their own.

import { $ } from "./words.js";

export const chosen = () => $("choice").querySelector(":checked").value;
export const ownWords = () => [...$("chips").children].map((chip) => chip.firstElementChild.textContent);
export const split = (text) =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);

// The query that makes the recognizer choose between what the visitor wants, or "".
export function wanted() {
  if (chosen() === "everyday") return "?vocabulary=everyday";
  const words = [...ownWords(), ...split($("labels").value)];
  if (chosen() !== "" || !words.length) return "";
  const template = $("advanced").hidden ? "" : $("template").value.trim();
  return `?${new URLSearchParams({ labels: words.join(","), ...(template && { template }) })}`;
}
