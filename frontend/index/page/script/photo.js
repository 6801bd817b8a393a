// A photo among many: what is known of it, and nothing that is seen. The queue treats it as it treats a card. While it is
// seen large it has a card, which is told all that it is told.

import { picture } from "./kept.js";
import { shrink } from "./shrink.js";
import { say } from "./texts.js";
import { Trouble } from "./trouble.js";
import { errorFor } from "./words.js";

const WAITS = ["waiting", "preparing", "sending", "looking"];

export class Photo {
  /** @type {any} The card that shows it large. */
  card = null;
  /** @type {any} The recognizer's answer; null while there is none. */
  reply = null;
  /** @type {any} What went wrong; null if nothing has. */
  trouble = null;
  /** @type {string | undefined} What was asked. */
  query = undefined;
  /** @type {Blob | null} What is sent, while it is in memory. */
  blob = null;
  /** @type {Blob | string | null} A small picture: bytes, or an address. */
  thumb = null;
  /** @type {any} The same photo on the wall: see tile.js. */
  tile = null;
  /** @type {Promise<void> | null} */
  preparation = null;
  state = "waiting";
  tries = 0;
  opens = true;
  prepared = false;
  kept = false; // whether the browser has it on its disk

  /**
   * @param {any} batch
   * @param {File | null} file null for one that was kept, until it is needed
   * @param {{ place: number, name: string, path: string, time: number }} [known] of one that was kept
   */
  constructor(batch, file, known) {
    this.batch = batch;
    this.file = file;
    this.place = known?.place ?? batch.next();
    this.name = known?.name ?? (file.name || say("pasted"));
    this.path = known?.path ?? (file.webkitRelativePath || this.name);
    this.time = known?.time ?? file.lastModified;
  }

  // Whether an answer is still to come.
  get open() {
    return WAITS.includes(this.state);
  }

  // As the recognizer has given it.
  get answer() {
    const { verdict, ...answer } = this.reply?.answer ?? {};
    return verdict && answer;
  }

  get verdict() {
    return this.reply?.answer.verdict;
  }

  // What it stands for: {word, english, confidence}; `word` is null where nothing is claimed, all of it without an answer.
  get claim() {
    if (!["done", "unsure"].includes(this.state)) return null;
    const { recognized, label, english = label, confidence } = this.verdict;
    return recognized ? { word: label, english, confidence } : { word: null, english: null, confidence: 0 };
  }

  get short() {
    if (["done", "unsure"].includes(this.state)) return this.verdict.short;
    if (this.state === "failed") return errorFor(this.trouble.code, this.trouble.status).words;
    return say(this.state === "canceled" ? "canceled" : "wall-not-answered");
  }

  // Whether nobody has what is known of it once the page is left.
  get isLost() {
    return !this.kept && !["failed", "canceled"].includes(this.state);
  }

  // Has what a card of the same file knows.
  takeOver({ state, reply, query, trouble }) {
    if (!["done", "unsure", "failed", "canceled"].includes(state)) return;
    Object.assign(this, { state, query, trouble });
    if (!reply) return;
    const { preview, ...answer } = reply.answer;
    Object.assign(this, { reply: { ...reply, answer }, thumb: preview ?? null });
  }

  // Makes what is sent and a small picture, once; all that can be kept is kept.
  prepare() {
    this.preparation ??= this.made();
    return this.preparation;
  }

  async made() {
    Object.assign(this, await shrink(this.file));
    this.prepared = true;
    this.batch.changed(this);
    await this.batch.keepPicture(this);
  }

  // Has `blob` in memory, from wherever it is.
  async load() {
    if (!this.prepared) await this.prepare();
    if (!this.blob && this.kept) this.blob = (await picture(this))?.blob ?? null;
    if (!this.blob && this.file) this.blob = (await shrink(this.file)).blob;
    if (!this.blob) throw new Trouble("unreadable");
    this.file ??= new File([this.blob], this.name, { type: this.blob.type, lastModified: this.time });
  }

  // Gives memory back: what is kept can be had again, and a file can be made small again.
  unload() {
    if (!this.card) this.blob = null;
  }

  turn(state, tell = (_card) => {}) {
    this.state = state;
    if (this.card) {
      this.card.blob = this.blob;
      tell(this.card);
    }
    this.batch.changed(this);
  }

  queued() {
    this.tries = 0;
    this.turn("waiting", (card) => card.queued());
  }

  // Back to the queue, behind those that have been tried less often.
  later() {
    this.turn("waiting", (card) => card.queued());
  }

  working(state, share) {
    if (state !== this.state || this.card) this.turn(state, (card) => card.working(state, share));
  }

  done(reply, query) {
    const { preview, ...answer } = reply.answer;
    if (preview) this.thumb = preview;
    Object.assign(this, { reply: { ...reply, answer }, query, trouble: null });
    this.turn(answer.verdict.recognized ? "done" : "unsure", (card) => card.done(reply, query));
    this.batch.keepAnswer(this);
    this.unload();
  }

  failed({ code, status, detail, unknown = [] }) {
    this.trouble = { code, status, detail, unknown };
    this.turn("failed", (card) => card.failed(this.trouble));
    this.batch.keepAnswer(this);
    this.unload();
  }

  canceled() {
    this.turn("canceled", (card) => card.canceled());
  }

  // Has a card say what is known of it.
  show(card) {
    this.card = card;
    card.blob = this.blob;
    card.opens = this.opens;
    if (this.blob) card.preview(this.blob);
    if (typeof this.thumb === "string") card.showPicture(this.thumb);
    if (this.state === "failed") card.failed(this.trouble);
    else if (this.state === "canceled") card.canceled();
    else if (["done", "unsure"].includes(this.state)) card.done(this.reply, this.query);
    else if (this.state !== "waiting") card.working(this.state);
  }

  hide() {
    this.card?.discard();
    this.card = null;
    this.unload();
  }
}
