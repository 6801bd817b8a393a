// Sentences and numbers, and what a screen reader hears.

import { say } from "./texts.js";

// From each code to its status, whether sending the same photo again can help, and the words for people.
const ERRORS = JSON.parse(document.getElementById("errors").textContent);
export const TITLE = document.title;

/** @type {(id: string) => any} */
export const $ = (id) => document.getElementById(id);

export function announce(text) {
  $("status").textContent = text;
}

// A sentence at the bottom of the window until it is closed or replaced; `undo` gives it that button.
export function notice(text, undo = null) {
  $("notice").firstElementChild.textContent = text;
  $("undo").hidden = !undo;
  $("undo").onclick = () => {
    $("notice").hidden = true;
    undo();
  };
  $("notice").hidden = false;
  announce(text);
}

$("dismiss").onclick = () => ($("notice").hidden = true);

// The words of an error: of its code, else of the first code with its status, else the general ones.
export function errorFor(code, status) {
  const same = Object.keys(ERRORS).find((name) => ERRORS[name][0] === status);
  const [, retry, words] = ERRORS[code] ?? ERRORS[same ?? "internal"];
  return { code: code || (same ?? "internal"), retry: Boolean(retry), words, status };
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export const number = (count) => (count === 100 ? "hundred" : count.toLocaleString("en"));

export const photos = (count) => say("photos", { count });

export const seconds = (milliseconds) =>
  milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;

export const size = (bytes) => {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 999_500) return `${Math.round(bytes / 1000)} KB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
};

// One argument of a POSIX shell command, whatever is in it.
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export const curlLine = (name, query) =>
  `curl --data-binary ${quoted(`@./${name}`)} ${quoted(new URL(query || location.pathname, document.baseURI).href)}`;
