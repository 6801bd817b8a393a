// One photo and all that happens to it. A card's `data-state` and `data-offers` decide what of it is seen.

import { markUnknown, suggestions } from "./known.js";
import { letExplain } from "./model.js";
import { timed } from "./send.js";
import { say } from "./texts.js";
import { $, announce, curlLine, errorFor, seconds, size } from "./words.js";

const EXPLAIN_AFTER = 4; // seconds of waiting until the card explains it
// What a card offers beside its words, by its state; a failure adds to it whether the same photo may be sent again.
const OFFERS = {
  waiting: "cancel",
  preparing: "cancel",
  sending: "cancel",
  looking: "cancel",
  busy: "cancel retry",
  done: "bar guesses tools more",
  unsure: "guesses tools more",
  failed: "more",
  canceled: "retry",
};
const OPEN = ["waiting", "preparing", "sending", "looking", "busy"];

export class Card {
  /** @type {Blob} What is sent; undefined until it was made from the file. */
  blob;

  /** @param {File} file */
  constructor(file) {
    this.file = file;
    this.name = file.name || say("pasted");
    this.element = $("card").content.firstElementChild.cloneNode(true);
    this.$ = (selector) => this.element.querySelector(selector);
    this.$("bdi").textContent = this.name;
    this.picture = this.$("img");
    this.picture.alt = say("photo-alt", { name: this.name });
    this.picture.onerror = () => this.hidePicture();
    this.picture.onload = () => {
      const { naturalWidth, naturalHeight } = this.picture;
      this.element.style.setProperty("--ratio", String(naturalWidth / naturalHeight));
    };
    this.url = "";
    this.queued();
  }

  preview(blob) {
    URL.revokeObjectURL(this.url);
    this.url = URL.createObjectURL(blob);
    this.showPicture(this.url);
  }

  showPicture(url) {
    this.picture.src = url;
    this.picture.hidden = false;
    this.$(".nothumb").hidden = true;
  }

  hidePicture() {
    const kind = this.name.includes(".") ? this.name.split(".").pop().slice(0, 5) : say("file");
    this.picture.hidden = true;
    this.$(".nothumb").hidden = false;
    this.$(".nothumb").textContent = kind.toUpperCase();
  }

  get state() {
    return this.element.dataset.state;
  }

  // Whether an answer is still to come.
  get open() {
    return OPEN.includes(this.state);
  }

  say(state, eyebrow, best, note = "") {
    clearInterval(this.clock);
    this.element.dataset.state = state;
    this.element.dataset.offers = OFFERS[state];
    this.element.setAttribute("aria-busy", String(["preparing", "sending", "looking"].includes(state)));
    // A button that goes away with its state must not take the keyboard's place with it.
    if (this.element.contains(document.activeElement)) this.$(".best").focus({ preventScroll: true });
    this.$(".eyebrow").textContent = eyebrow;
    this.$(".best").textContent = best;
    this.$(".note").textContent = note;
    this.$(".unknown").replaceChildren();
  }

  queued() {
    this.tries = 0;
    this.say("waiting", say("queued"), say("waiting"));
  }

  // Between the click and the answer. The label of each button names its photo for those who cannot see it.
  working(state, share) {
    const progress = this.$("progress");
    if (state !== this.state) {
      this.say(state, say("one-moment"), say(state));
      this.$(".cancel").setAttribute("aria-label", say("cancel-photo", { name: this.name }));
      if (state === "looking") this.wait();
    }
    if (share === undefined) progress.removeAttribute("value");
    else progress.value = share;
    if (state === "sending") {
      this.$(".note").textContent = say("sent-of", { percent: Math.round(share * 100), size: size(this.blob.size) });
    }
  }

  // Calls `tell` with the seconds since now, at once and every second until the card says something else.
  everySecond(tell) {
    const began = performance.now();
    const tick = () => tell(Math.round((performance.now() - began) / 1000));
    tick();
    this.clock = setInterval(tick, 1000);
  }

  wait() {
    this.everySecond((waited) => {
      this.$(".note").textContent = say(waited < EXPLAIN_AFTER ? "waited" : "waited-long", { seconds: waited });
      if (waited === EXPLAIN_AFTER) announce(say("still-waiting"));
    });
  }

  // The recognizer is busy: it is asked again after some seconds.
  busy(pause) {
    this.tries += 1;
    this.say("busy", say("busy"), say("waiting-again"));
    this.everySecond(
      (waited) => (this.$(".note").textContent = say("again-in", { seconds: Math.max(0, pause - waited) })),
    );
  }

  done({ answer: whole, took, timing }, query) {
    const { preview, verdict, ...answer } = whole;
    if (preview) this.showPicture(preview);
    this.answer = answer;
    this.verdict = verdict;
    this.explanations = new Map();
    this.hideHeat();
    this.query = query;
    this.short = verdict.short;
    this.say(verdict.recognized ? "done" : "unsure", verdict.eyebrow, verdict.best, verdict.note);
    this.$(".main .level").setAttribute("width", `${100 * verdict.confidence}%`);
    for (const kind of ["also", "near"]) {
      this.$(`.${kind}`).hidden = !verdict[kind].length;
      this.$(`.${kind} ul`).replaceChildren(...verdict[kind].map(chip));
    }
    this.$(".all").replaceChildren(...verdict.guesses.map(guessRow));
    this.among(verdict.footnote, []);
    this.$(".asked").replaceChildren();
    this.$(".more").open = false;
    this.showUnknown(answer.unknown ?? []);
    this.$(".facts").textContent = this.facts(took, timed(timing, "inference"), answer.model);
    this.$(".json").textContent = JSON.stringify(answer, null, 2);
    this.$(".curl").textContent = curlLine(this.name, query);
  }

  // The recognizer's own labels, where something else was asked: what it says of them, and the best of them.
  among(footnote, guesses) {
    this.$(".footnote").textContent = footnote;
    this.$(".five").replaceChildren(...guesses.map(guessRow));
    letExplain(this.element);
  }

  showUnknown(unknown) {
    markUnknown(unknown);
    this.$(".unknown").replaceChildren(...suggestions(unknown));
  }

  hideHeat() {
    this.$(".frame canvas")?.remove();
    this.$(".legend").textContent = "";
    this.$(".beside").hidden = true;
    for (const button of this.element.querySelectorAll(".heat, .chip, .guesses button"))
      button.setAttribute("aria-pressed", "false");
  }

  facts(took, inference, model) {
    const smaller = this.blob.size < this.file.size;
    return [
      say(inference === undefined ? "took" : "took-inference", { took: seconds(took), inference: seconds(inference) }),
      say(smaller ? "sent-smaller" : "sent", { size: size(this.blob.size), original: size(this.file.size) }),
      say("model", { model }),
    ].join(" ");
  }

  failed({ code, status, detail, unknown = [] }) {
    const error = errorFor(code, status);
    this.say("failed", say("failed"), error.words);
    this.showUnknown(unknown);
    this.code = error.code;
    this.short = error.words;
    if (error.retry) this.element.dataset.offers += " retry";
    this.$(".facts").textContent = [
      say("code", { code: error.code }),
      status && say("status", { status: String(status) }),
      detail,
    ]
      .filter(Boolean)
      .join(say("comma"));
  }

  canceled() {
    this.say("canceled", say("canceled"), say("still-here"));
    this.short = say("canceled-short");
  }

  discard() {
    clearInterval(this.clock);
    URL.revokeObjectURL(this.url);
  }
}

// A word beside the answer. Where the recognizer explains, a click shows what in the photo counted for it.
function chip({ label, percent }) {
  const item = $("chip").content.firstElementChild.cloneNode(true);
  item.querySelector(".label").textContent = label;
  item.querySelector(".score").textContent = percent;
  item.firstElementChild.value = label;
  return item;
}

// A word in a list, with its share.
function guessRow({ label, share, percent }) {
  const row = $("guess").content.firstElementChild.cloneNode(true);
  row.querySelector(".label").textContent = label;
  row.querySelector(".label").value = label;
  row.querySelector(".score").textContent = percent;
  row.querySelector(".level").setAttribute("width", `${100 * share}%`);
  return row;
}

// Copies where the browser lets a page do so (a secure address); elsewhere selects the element's text for Ctrl-C.
export async function copy(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    announce(say("copied"));
    return say("copied");
  } catch {
    getSelection().selectAllChildren(element);
    announce(say("selected-long"));
    return say("selected");
  }
}

// Does something, and has the button say for a while how that went.
export async function answered(button, action) {
  const text = button.textContent;
  button.textContent = await action();
  setTimeout(() => (button.textContent = text), 1500);
}
