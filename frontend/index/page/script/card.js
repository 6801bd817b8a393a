// One photo and all that happens to it. A card's `data-state` and `data-offers` decide what of it is seen.

import { timed } from "./send.js";
import { $, announce, curlLine, errorFor, seconds, size } from "./words.js";

const EXPLAIN_AFTER = 4; // seconds of waiting until the card explains it
// What a card offers beside its words, by its state; a failure adds to it whether the same photo may be sent again.
const OFFERS = {
  waiting: "cancel",
  preparing: "cancel",
  sending: "cancel",
  looking: "cancel",
  busy: "cancel retry",
  done: "guesses tools more",
  unsure: "tools more",
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
    this.name = file.name || "pasted photo";
    this.element = $("card").content.firstElementChild.cloneNode(true);
    this.$ = (selector) => this.element.querySelector(selector);
    this.$("bdi").textContent = this.name;
    this.picture = this.$("img");
    this.picture.alt = `The photo ${this.name}`;
    this.picture.onerror = () => this.hidePicture();
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
    const kind = this.name.includes(".") ? this.name.split(".").pop().slice(0, 5) : "file";
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
  }

  queued() {
    this.tries = 0;
    this.say("waiting", "In the queue", "Waiting for its turn");
  }

  // Between the click and the answer. The label of each button names its photo for those who cannot see it.
  working(state, share) {
    const progress = this.$("progress");
    if (state !== this.state) {
      this.say(state, "One moment", { preparing: "Getting it ready", sending: "Sending", looking: "Looking" }[state]);
      this.$(".cancel").setAttribute("aria-label", `Cancel ${this.name}`);
      if (state === "looking") this.wait();
    }
    if (share === undefined) progress.removeAttribute("value");
    else progress.value = share;
    if (state === "sending") this.$(".note").textContent = `${Math.round(share * 100)}% of ${size(this.blob.size)}`;
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
      const why = ". The recognizer may be starting up; the first photo after a pause takes longer.";
      this.$(".note").textContent = `${waited} s${waited < EXPLAIN_AFTER ? "" : why}`;
      if (waited === EXPLAIN_AFTER) announce("Still waiting. The recognizer may be starting up.");
    });
  }

  // The recognizer is busy: it is asked again after some seconds.
  busy(pause) {
    this.tries += 1;
    this.say("busy", "The recognizer is busy with other photos", "Waiting to try again");
    this.everySecond((waited) => (this.$(".note").textContent = `Trying again in ${Math.max(0, pause - waited)} s`));
  }

  done({ answer: whole, took, timing }, query) {
    const { preview, verdict, ...answer } = whole;
    const { recognized, eyebrow, best, note, short, guesses } = verdict;
    if (preview) this.showPicture(preview);
    this.answer = answer;
    this.explanation = null;
    this.hideHeat();
    this.query = query;
    this.short = short;
    this.say(recognized ? "done" : "unsure", eyebrow, best, note);
    this.element.toggleAttribute("data-instead", best === answer.instead?.label);
    this.$(".main .level").setAttribute("width", `${100 * answer.confidence}%`);
    this.$(".guesses").replaceChildren(...guesses.map(guessRow));
    this.$(".facts").textContent = this.facts(took, timed(timing, "inference"), answer.model);
    this.$(".json").textContent = JSON.stringify(answer, null, 2);
    this.$(".curl").textContent = curlLine(this.name, query);
  }

  hideHeat() {
    this.$(".frame canvas")?.remove();
    this.$(".legend").textContent = "";
    this.$(".heat").setAttribute("aria-pressed", "false");
  }

  facts(took, inference, model) {
    const times = inference === undefined ? "" : `, ${seconds(inference)} of it inference`;
    const saved = this.blob.size < this.file.size ? `, made from ${size(this.file.size)}` : "";
    return `Answered in ${seconds(took)}${times}. Sent: ${size(this.blob.size)}${saved}. Model: ${model}.`;
  }

  failed({ code, status, detail }) {
    const error = errorFor(code, status);
    // Which words a model does not know, it says in its first sentence.
    this.say("failed", "That did not work", error.words, code === "closed_vocabulary" ? detail.split(". ")[0] : "");
    this.code = error.code;
    this.short = error.words;
    this.element.dataset.offers += error.retry ? " retry" : " next";
    this.$(".facts").textContent = [`Code: ${error.code}`, status && `status ${status}`, detail]
      .filter(Boolean)
      .join(", ");
  }

  canceled() {
    this.say("canceled", "Canceled", "Stopped, and the photo is still here");
    this.short = "canceled";
  }

  discard() {
    clearInterval(this.clock);
    URL.revokeObjectURL(this.url);
  }
}

// A label after the best one, in proportion to its confidence.
function guessRow({ label, share, sure }) {
  const row = $("guess").content.firstElementChild.cloneNode(true);
  row.querySelector(".label").textContent = label;
  row.querySelector(".score").textContent = sure;
  row.querySelector(".level").setAttribute("width", `${100 * share}%`);
  return row;
}

// Copies where the browser lets a page do so (a secure address); elsewhere selects the element's text for Ctrl-C.
export async function copy(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    announce("Copied");
    return "Copied";
  } catch {
    getSelection().selectAllChildren(element);
    announce("Selected: copy it with your keyboard");
    return "Selected";
  }
}

// Does something, and has the button say for a while how that went.
export async function answered(button, action) {
  const text = button.textContent;
  button.textContent = await action();
  setTimeout(() => (button.textContent = text), 1500);
}
