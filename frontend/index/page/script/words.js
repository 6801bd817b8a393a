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

const NOTICE_TIME = 8_000; // milliseconds; as long as somebody is at it, it stays
let leaving = 0;

export function closeNotice() {
  clearTimeout(leaving);
  $("notice").hidden = true;
}

function closeSoon() {
  clearTimeout(leaving);
  leaving = window.setTimeout(
    () => ($("notice").matches(":hover, :focus-within") ? closeSoon() : closeNotice()),
    NOTICE_TIME,
  );
}

// A sentence above the answer, for a few seconds or until the next action; `undo` gives it that button.
export function notice(text, undo = null) {
  $("notice").firstElementChild.textContent = text;
  $("undo").hidden = !undo;
  $("undo").onclick = () => {
    closeNotice();
    undo();
  };
  $("notice").hidden = false;
  announce(text);
  closeSoon();
}

$("dismiss").onclick = closeNotice;

// The words of an error: of its code, else of the first code with its status, else the general ones.
export function errorFor(code, status) {
  const same = Object.keys(ERRORS).find((name) => ERRORS[name][0] === status);
  const [, retry, words] = ERRORS[code] ?? ERRORS[same ?? "internal"];
  return { code: code || (same ?? "internal"), retry: Boolean(retry), words, status };
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export const seconds = (milliseconds) =>
  milliseconds < 1000
    ? say("milliseconds", { count: Math.round(milliseconds) })
    : say("seconds", { count: Number((milliseconds / 1000).toFixed(1)) });

export const size = (bytes) => {
  if (bytes < 1000) return say("bytes", { count: bytes });
  if (bytes < 999_500) return say("kilobytes", { count: Math.round(bytes / 1000) });
  return say("megabytes", { count: Number((bytes / 1e6).toFixed(1)) });
};

// One argument of a POSIX shell command, whatever is in it.
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export const curlLine = (name, query) =>
  `curl --data-binary ${quoted(`@./${name}`)} ${quoted(new URL(query || location.pathname, document.baseURI).href)}`;
