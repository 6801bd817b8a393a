// One photo and all that happens to it. A card's `data-state` decides what of it is seen: see style/states.css.

const HOPEFUL = 4; // seconds until a wait is worth an explanation
const NEAREST = 3; // labels that are named where none is recognized
const LEAST = 0.01; // of the confidence in a guess that is worth a row

class Card {
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
    this.preview(file);
    this.queued();
  }

  preview(blob) {
    URL.revokeObjectURL(this.url);
    this.url = URL.createObjectURL(blob);
    this.picture.src = this.url;
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
    return ["waiting", "preparing", "sending", "looking"].includes(this.state);
  }

  say(state, eyebrow, best, note = "") {
    clearInterval(this.clock);
    this.element.dataset.state = state;
    this.element.setAttribute("aria-busy", String(["preparing", "sending", "looking"].includes(state)));
    // A button that goes away with its state must not take the keyboard's place with it.
    if (this.element.contains(document.activeElement)) this.$(".best").focus({ preventScroll: true });
    this.$(".eyebrow").textContent = eyebrow;
    this.$(".best").textContent = best;
    this.$(".note").textContent = note;
  }

  queued() {
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

  wait() {
    const began = performance.now();
    const tick = () => {
      const waited = Math.round((performance.now() - began) / 1000);
      this.$(".note").textContent =
        waited < HOPEFUL
          ? `${waited} s`
          : `${waited} s. The recognizer may have been asleep; after a pause, the first photo takes longer.`;
      if (waited === HOPEFUL) announce("Still waiting. The recognizer may be starting up.");
    };
    tick();
    this.clock = setInterval(tick, 1000);
  }

  done({ answer, took, timing }, query) {
    const { predictions, confidence, recognized, instead } = answer;
    if (recognized) {
      this.say("done", opinion(confidence), predictions[0].label, `${sure(confidence)} sure`);
      announce(`${this.name}: ${predictions[0].label}, ${sure(confidence)} sure`);
    } else if (instead) {
      this.say("unsure", `${none(query)} I would call it`, instead.label, `${sure(instead.confidence)} sure`);
      announce(`${this.name}: ${none(query)} I would call it ${instead.label}`);
    } else {
      const near = predictions.slice(0, NEAREST).map(({ label }) => label).join(", ");
      this.say("unsure", "Hm", "I do not recognize this", `${none(query)} The nearest of them: ${near}.`);
      announce(`${this.name}: not recognized`);
    }
    this.$(".guesses").replaceChildren(...(recognized ? guesses(predictions, confidence) : []));
    this.$(".facts").textContent = this.facts(took, timed(timing, "inference"), answer.model);
    this.$(".json").textContent = JSON.stringify(answer, null, 2);
    this.$(".curl").textContent = curlLine(this.name, query);
  }

  facts(took, thought, model) {
    const times = thought === undefined ? "" : `, ${seconds(thought)} of it thinking`;
    const saved = this.blob.size < this.file.size ? `, made from ${size(this.file.size)}` : "";
    return `Answered in ${seconds(took)}${times}. Sent: ${size(this.blob.size)}${saved}. Model: ${model}.`;
  }

  failed({ code, status }) {
    const error = errorFor(code, status);
    this.say("failed", "That did not work", error.words);
    this.code = error.code;
    this.element.dataset.retry = String(error.retry);
    this.$(".facts").textContent = status ? `${error.code}, status ${status}` : "";
    announce(`${this.name}: ${error.words}`);
  }

  canceled() {
    this.say("canceled", "Canceled", "Stopped, and the photo is still here");
    this.element.dataset.retry = "true";
    announce(`${this.name}: canceled`);
  }

  remove() {
    clearInterval(this.clock);
    URL.revokeObjectURL(this.url);
    this.element.remove();
  }
}

// A row for each label: the best with its confidence, the others in proportion.
function guesses(predictions, confidence) {
  return predictions
    .map(({ label, score }) => ({ label, share: (confidence * score) / predictions[0].score }))
    .filter(({ share }, place) => place === 0 || share >= LEAST)
    .map(({ label, share }) => {
      const row = $("guess").content.firstElementChild.cloneNode(true);
      row.querySelector(".label").textContent = label;
      row.querySelector(".score").textContent = sure(share);
      row.querySelector(".level").setAttribute("width", `${100 * share}%`);
      return row;
    });
}

// Copies where the browser lets a page do so (a secure address); elsewhere selects the text for Ctrl-C.
async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    announce("Copied");
    return "Copied";
  } catch {
    getSelection().selectAllChildren(element);
    announce("Selected: copy it with your keyboard");
    return "Selected";
  }
}
