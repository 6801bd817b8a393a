// An answer in words, as ../../verdict.py has them for results without JavaScript.

import { $ } from "./words.js";

const NEAREST = 3; // labels that are named where none is recognized
const LEAST = 0.01; // of the confidence in a guess that is worth a row

// Nothing is ever quite sure.
const sure = (confidence) => `${Math.min(99, Math.round(confidence * 100))}%`;

// How sure a confidence lets one sound.
const opinion = (confidence) => {
  if (confidence >= 0.9) return "I am sure: this is";
  return confidence >= 0.7 ? "This is likely" : "It may be";
};

const yes = (confidence) => {
  if (confidence >= 0.9) return "Yes";
  return confidence >= 0.7 ? "Most likely" : "Maybe";
};

const labelsOf = (query) => (new URLSearchParams(query).get("labels") ?? "").split(",").filter(Boolean);

// That nothing was recognized among what the query made the recognizer choose from. How many words it knows best stands
// beside the button that chooses them, as soon as that is known.
const none = (query) => {
  if (query.includes("vocabulary=everyday")) return "None of the everyday things that I know.";
  return query ? "None of your words." : `None of ${$("labels-choice").textContent.replace("The", "the")}.`;
};

// {state, eyebrow, best, note}: what a card says; {short}: the same in a line.
export function verdict({ predictions, confidence, recognized, instead }, query) {
  const { label } = predictions[0];
  const state = recognized ? "done" : "unsure";
  const howSure = `${sure(recognized ? confidence : (instead?.confidence ?? 0))} sure`;
  const other = instead ? `I would call it ${instead.label}, ${howSure}.` : "";
  if (labelsOf(query).length === 1) {
    const best = recognized ? yes(confidence) : "I do not think so";
    return {
      state,
      eyebrow: `Is it “${label}”?`,
      best,
      note: recognized ? howSure : other,
      short: `${label}? ${best}`,
    };
  }
  if (recognized)
    return { state, eyebrow: opinion(confidence), best: label, note: howSure, short: `${label}, ${howSure}` };
  if (instead) {
    const eyebrow = `${none(query)} I would call it`;
    return { state, eyebrow, best: instead.label, note: howSure, short: `${eyebrow} ${instead.label}` };
  }
  const near = predictions
    .slice(0, NEAREST)
    .map((one) => one.label)
    .join(", ");
  const note = `The nearest of them: ${near}.`;
  return { state, eyebrow: none(query), best: "I do not recognize this", note, short: "not recognized" };
}

// A row for each label after the best, in proportion to its confidence.
export function otherGuesses({ predictions, confidence }) {
  return predictions
    .slice(1)
    .map(({ label, score }) => ({ label, share: (confidence * score) / predictions[0].score }))
    .filter(({ share }) => share >= LEAST)
    .map(({ label, share }) => {
      const row = $("guess").content.firstElementChild.cloneNode(true);
      row.querySelector(".label").textContent = label;
      row.querySelector(".score").textContent = sure(share);
      row.querySelector(".level").setAttribute("width", `${100 * share}%`);
      return row;
    });
}
