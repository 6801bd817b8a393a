// The requests that this page makes, all to its own address, whatever the prefix is that a gateway gives it.

import { LANGUAGE, lang, speaks } from "./language.js";
import { Trouble } from "./trouble.js";

const TIMEOUT = 120_000; // longer than any gateway waits, so that the gateway answers first

const BUSY = 2; // seconds to wait where a 429 does not say how long

// Posts a picture; onProgress gets 0…1 while it goes up. Gives {answer, took, timing}; throws Trouble, or an
// AbortError when the signal says so. XMLHttpRequest, because fetch tells nothing about an upload's progress.
export function send(blob, query, signal, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const began = performance.now();
    const stop = () => request.abort();
    const lost = () => reject(new Trouble(navigator.onLine ? "no_connection" : "offline"));
    request.open("POST", query || "?");
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Accept-Language", LANGUAGE); // of what is said, not of the browser
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.timeout = TIMEOUT;
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.upload.onload = () => onProgress(1);
    request.onerror = lost;
    request.ontimeout = () => reject(new Trouble("clip_timeout", 504));
    request.onabort = () => reject(new DOMException("canceled", "AbortError"));
    request.onloadend = () => signal.removeEventListener("abort", stop);
    request.onload = () => {
      try {
        resolve({
          answer: understood(
            request.responseText,
            request.status,
            "predictions",
            request.getResponseHeader("Retry-After"),
          ),
          took: performance.now() - began,
          timing: request.getResponseHeader("Server-Timing") ?? "",
        });
      } catch (trouble) {
        reject(trouble);
      }
    };
    signal.throwIfAborted();
    signal.addEventListener("abort", stop);
    request.send(blob);
  });
}

export function withParameter(query, name) {
  const parameters = new URLSearchParams(query);
  parameters.set(name, "1");
  return `?${parameters}`;
}

const asUri = (blob) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Trouble("unreadable"));
    reader.readAsDataURL(blob);
  });

// The embeddings of pictures, in base64, and the model that has made them: {embeddings, model}. Throws as `send` does.
export async function embed(blobs, signal) {
  const input = await Promise.all(blobs.map(asUri));
  const body = JSON.stringify({ input, encoding_format: "base64" });
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch("?embeddings", { method: "POST", headers, body, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble(navigator.onLine ? "no_connection" : "offline");
  }
  const text = await response.text();
  const { data, model } = understood(text, response.status, "data", response.headers.get("Retry-After"));
  return { embeddings: data.map(({ embedding }) => embedding), model };
}

// What the recognizer says of itself: model, vocabulary, labels, limits. Asking also wakes it up.
export async function describe() {
  const response = await fetch(["?describe", new URLSearchParams(lang())].filter(String).join("&"), {
    headers: { Accept: "application/json", "Accept-Language": LANGUAGE },
  });
  const description = understood(await response.text(), response.status, "labels");
  speaks(description.languages ?? []);
  return description;
}

// The JSON of a good answer; throws Trouble for everything else, a gateway's plain text included.
function understood(text, status, key, retryAfter) {
  let document = null;
  try {
    document = JSON.parse(text);
  } catch {
    // A gateway speaks plain text; its status says enough.
  }
  if (status === 200 && document && key in document) return document;
  const { code = status === 200 ? "clip_bad_answer" : "", message = "", unknown } = document?.error ?? {};
  throw new Trouble(code, status, message, Number(retryAfter) || (status === 429 ? BUSY : 0), unknown);
}

// Milliseconds of one entry in a Server-Timing header, or undefined.
export function timed(timing, name) {
  const found = timing.match(new RegExp(`(?:^|,)\\s*${name}\\s*;[^,]*?dur=([\\d.]+)`));
  return found ? Number(found[1]) : undefined;
}
