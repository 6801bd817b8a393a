// What an answer claims, in its own numbers.

import { say } from "./texts.js";

const PERCENT = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });

// A probability in words: at most 99 %, as nothing is certain.
export const percent = (share) => PERCENT.format(Math.min(0.99, share));

// The word that an answer stands for, and its confidence: the first label, or what it is instead. `word` is null where
// nothing is recognized; then `confidence` is 0.
export function claim({ recognized, predictions, confidence, instead }) {
  if (recognized) return { word: predictions[0].label, confidence };
  if (instead) return { word: instead.label, confidence: instead.confidence };
  return { word: null, confidence: 0 };
}

// The same in a line.
export function claimed(answer) {
  const { word, confidence } = claim(answer);
  return word === null ? say("wall-unsure") : say("wall-answer", { word, percent: percent(confidence) });
}
