// Several photos in a line, and what can be taken away of them all.

import { answered, copy } from "./card.js";
import { current, view } from "./cards.js";
import { say } from "./texts.js";
import { $, announce } from "./words.js";

const TSV = "\t";

export function summarize(all) {
  const open = all.filter((card) => card.open).length;
  const recognized = all.filter((card) => card.state === "done").length;
  const failed = all.filter((card) => ["failed", "canceled"].includes(card.state)).length;
  const unsure = all.length - open - recognized - failed;
  const text = open
    ? say("wall-progress", { done: all.length - open, count: all.length })
    : say(failed ? "wall-counted-failed" : "wall-counted", { recognized, unsure, failed });
  if (all.length > 1 && !open && $("count").textContent !== text) announce(text);
  $("summary").hidden = all.length < 2;
  $("count").textContent = all.length > 1 ? text : "";
  $("save").hidden = open > 0 && !view.batch?.stopped;
}

// A row for each photo: what came out, in numbers that a program reads.
function results() {
  return current().map((card) => ({
    file: card.path ?? (card.file.webkitRelativePath || card.name),
    ...(["done", "unsure"].includes(card.state) ? card.answer : { error: card.short }),
    ...(card.state === "done" && card.verdict.thing && { taught: card.verdict.thing }),
  }));
}

// Spreadsheets take a cell for a formula by its beginning, also behind a separator that they may know instead of the
// comma (https://owasp.org/www-community/attacks/CSV_Injection). An apostrophe in front keeps it text.
const harmless = (text) =>
  text
    .replace(/([;\t\r\n])(?=[' ]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g, "$1'")
    .replace(/^(?=[' ]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20\t\r\n])/, "'");

// A cell of CSV (RFC 4180).
const cell = (value = "") => `"${harmless(String(value)).replaceAll('"', '""')}"`;

function csv() {
  const header = ["file", "recognized", "label", "confidence", "instead", "instead confidence", "error"];
  const rows = results().map(({ file, recognized, predictions, confidence, instead, error }) =>
    [file, recognized, predictions?.[0].label, confidence, instead?.label, instead?.confidence, error].map(cell),
  );
  return [header.map(cell), ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}

export function save(text, name, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

for (const button of $("save").children) {
  button.onclick = () => {
    // With its byte order mark, spreadsheets read it as UTF-8.
    if (button.value === "csv") save(`\uFEFF${csv()}`, "photos.csv", "text/csv");
    else if (button.value === "json") save(JSON.stringify(results(), null, 2), "photos.json", "application/json");
    else answered(button, () => copy(lines(), $(view.batch ? "tiles" : "current")));
  };
}

const lines = () =>
  current()
    .map((card) => [card.name, card.short].map((text) => harmless(text.replace(/[\t\r\n]+/g, " "))).join(TSV))
    .join("\n");
