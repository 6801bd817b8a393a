// Where the recognizer looked: what counted for a label, as a glow over the dimmed photo, asked for on demand.

import { lookEverywhere } from "./beside.js";
import { glow } from "./glow.js";
import { send } from "./send.js";
import { say } from "./texts.js";
import { Trouble } from "./trouble.js";
import { announce, errorFor, notice } from "./words.js";

const FINE = 512; // the map's longer side, in widths of the thinnest line
const DIM = "rgb(6 10 8 / 0.66)";
const GLOW_MOST = 0.5; // its opacity where most counted
const STRIPE = "rgb(255 255 255 / 0.14)";
const EDGE = "rgb(255 255 255 / 0.6)";
const WHOLE = 0.99; // a share of a side; what is looked at of a photo is all of it from there on

const isWhole = ([left, top, right, bottom]) => right - left > WHOLE && bottom - top > WHOLE;

// Whether only the square in the middle was looked at.
const isPartial = (looks) => looks.length === 1 && !isWhole(looks[0].area);

// Has the photo's size, so that it is fitted into the frame in the same way, to a pixel. What lies around all that was
// looked at is striped.
function heatMap(looks, { naturalWidth, naturalHeight }) {
  const map = document.createElement("canvas");
  [map.width, map.height] = [naturalWidth, naturalHeight];
  const context = map.getContext("2d");
  context.fillStyle = DIM;
  context.fillRect(0, 0, map.width, map.height);
  context.save();
  context.beginPath();
  for (const { area } of looks) context.rect(...boxOf(area, map));
  context.clip();
  const light = glow(looks, naturalWidth / naturalHeight);
  context.imageSmoothingQuality = "high";
  context.globalCompositeOperation = "destination-out";
  context.drawImage(light, 0, 0, map.width, map.height);
  context.globalCompositeOperation = "source-over";
  context.globalAlpha = GLOW_MOST;
  context.drawImage(light, 0, 0, map.width, map.height);
  context.restore();
  if (isPartial(looks)) stripe(context, map, boxOf(looks[0].area, map));
  map.setAttribute("role", "img");
  return map;
}

/** @returns {[number, number, number, number]} */
const boxOf = ([left, top, right, bottom], { width, height }) => [
  left * width,
  top * height,
  (right - left) * width,
  (bottom - top) * height,
];

function stripe(context, { width, height }, square) {
  const line = Math.max(width, height) / FINE;
  context.save();
  context.beginPath();
  context.rect(0, 0, width, height);
  context.rect(...square);
  context.clip("evenodd");
  context.strokeStyle = STRIPE;
  context.lineWidth = 3 * line;
  context.beginPath();
  for (let x = -height; x < width; x += 12 * line) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
  context.restore();
  context.strokeStyle = EDGE;
  context.lineWidth = 2 * line;
  context.strokeRect(...square);
}

// Shows what counted for a label of the answer, or hides that again.
export async function toggleHeat(card, button, label = "") {
  if (button.getAttribute("aria-pressed") === "true") return card.hideHeat();
  const parameters = new URLSearchParams(card.query);
  parameters.set("explain", label || "1"); // 1: of what is claimed
  await lay(card, button, label, async () => {
    if (card.explanations.has(label)) return card.explanations.get(label);
    const { answer } = await send(card.blob, `?${parameters}`, new AbortController().signal, () => {});
    if (!answer.explanation) throw new Trouble("clip_bad_answer");
    const { grid, area, ...explanation } = answer.explanation;
    return { ...explanation, looks: [{ grid, area, share: 1 }] };
  });
}

// Lays a map over the photo when its explanation is there; it belongs to `pressed`, and `asked` is the button to wait at.
async function lay(card, pressed, label, explain, asked = pressed) {
  const { query, explanations } = card;
  let explanation;
  asked.setAttribute("aria-busy", "true");
  try {
    explanation = await explain();
    explanations.set(label, explanation);
  } catch (error) {
    return notice(errorFor(error.code, error.status).words);
  } finally {
    asked.removeAttribute("aria-busy");
  }
  // Something else may have been asked meanwhile.
  if (card.query !== query || card.open) return;
  layMap(card, pressed, label, explanation);
}

function layMap(card, button, of, explanation) {
  const { label, looks } = explanation;
  card.hideHeat();
  const map = heatMap(looks, card.picture);
  map.setAttribute("aria-label", say("looked-for", { label }));
  card.$(".frame").append(map);
  card.$(".legend").textContent = say(saidOf(looks), { label });
  button.setAttribute("aria-pressed", "true");
  announce(card.$(".legend").textContent);
  const beside = card.$(".beside");
  beside.hidden = !isPartial(looks);
  beside.onclick = async () => {
    const all = { label, area: looks[0].area };
    await lay(card, button, of, async () => ({ label, looks: await lookEverywhere(card, all) }), beside);
    if (beside.hidden) button.focus({ preventScroll: true });
  };
}

function saidOf(looks) {
  if (looks.length > 1) return "bright-everywhere";
  return isPartial(looks) ? "bright-striped" : "bright";
}
