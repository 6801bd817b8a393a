// Which taught thing a photo shows, and what is said then.

import { learn, likenesses, RECOGNIZED, unmeasured } from "./likeness.js";
import { described } from "./model.js";
import { percent } from "./percent.js";
import { embed } from "./send.js";
import { drawn } from "./shrink.js";
import { say } from "./texts.js";
import { embeddingOf } from "./thingfile.js";
import { learnedWith, lessons } from "./things.js";
import { Trouble } from "./trouble.js";

const SEPARATOR = " · "; // between the parts of a note, as verdict.py has it
const [SURE, LIKELY] = [0.9, 0.7]; // confidences from which an answer is called so: those of verdict.py

/** @type {any} What was learned of the things, with the number of its lesson. */
let learned = null;
/** @type {Promise<any> | null} */
let drawings = null;

export const usedThings = () => learnedWith(described()?.weights_sha256);

// The embedding of a picture that this model has made: float32, of unit length.
export async function embeddingOfPhoto(blob, signal = new AbortController().signal) {
  const { embeddings, model } = await embed([blob], signal);
  if (model !== described()?.model) throw new Trouble("clip_bad_answer");
  return embeddingOf(embeddings[0]);
}

async function backgroundOf(photos) {
  const measured = described().embedding_background;
  if (measured) return { center: embeddingOf(measured.center), weights: measured.weights };
  drawings ??= embeddingsOfDrawings();
  try {
    return unmeasured(photos, await drawings);
  } catch (error) {
    drawings = null;
    throw error;
  }
}

// The page's own drawings stand for pictures in general.
async function embeddingsOfDrawings() {
  const pictures = [...document.querySelectorAll(".example svg")];
  const blobs = await Promise.all(pictures.map((picture) => drawn(picture, "drawing")));
  const { embeddings } = await embed(blobs, new AbortController().signal);
  return embeddings.map(embeddingOf);
}

async function lessonsLearned(known) {
  const lesson = lessons();
  if (learned?.lesson !== lesson) {
    const photos = known.map(({ examples }) => examples.map(({ embedding }) => embedding));
    learned = { lesson, ...learn(photos, await backgroundOf(photos)) };
  }
  return learned;
}

// The thing that a photo shows: {name, confidence}, or null for none of them.
export async function shownThing(blob, signal) {
  const known = usedThings();
  if (!known.length) return null;
  const embedding = await embeddingOfPhoto(blob, signal);
  const confidences = likenesses(await lessonsLearned(known), embedding);
  const confidence = Math.max(...confidences);
  return confidence >= RECOGNIZED ? { name: known[confidences.indexOf(confidence)].name, confidence } : null;
}

const howSure = (confidence, sure) =>
  say(confidence >= SURE ? "sure" : confidence >= LIKELY ? "likely" : "maybe", { percent: sure });

// What is said of a photo that shows a thing: its name leads, and what the recognizer says by itself comes after it.
export function withThing(verdict, { name, confidence }) {
  const sure = percent(confidence);
  const said = verdict.recognized
    ? [{ label: verdict.label, share: verdict.confidence, percent: percent(verdict.confidence) }]
    : [];
  const warnings = verdict.note.split(SEPARATOR).slice(verdict.label ? 1 : 0); // how sure the word is comes first
  return {
    ...verdict,
    recognized: true,
    eyebrow: say("teach-taught"),
    best: name,
    note: [howSure(confidence, sure), ...warnings].join(SEPARATOR),
    short: say("teach-short", { name, percent: sure }),
    label: name,
    english: name,
    confidence,
    also: [...said, ...verdict.also],
    thing: name,
  };
}
