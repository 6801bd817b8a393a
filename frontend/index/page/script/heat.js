// Where the recognizer looked: what counted for a label, as a glow over the dimmed photo, asked for on demand.

import { send } from "./send.js";
import { say } from "./texts.js";
import { Trouble } from "./trouble.js";
import { announce, errorFor, notice } from "./words.js";

const HEAT_SIDE = 512; // pixels of the map's longer side
const SMOOTH_SIDE = 96; // pixels of each side of the grid once it is smooth
const DIM = "rgb(6 10 8 / 0.66)";
const GLOW = [255, 150, 30]; // the one hue
const GLOW_MOST = 0.5; // its opacity where most counted
const STRIPE = "rgb(255 255 255 / 0.14)";
const EDGE = "rgb(255 255 255 / 0.6)";
const WHOLE = 0.99; // a share of a side; what is looked at of a photo is all of it from there on

// The weights of the four cells around a place between two of them: a cubic B-spline, which has no edges and overshoots
// nowhere.
const spline = (t) =>
  [(1 - t) ** 3, 3 * t ** 3 - 6 * t ** 2 + 4, -3 * t ** 3 + 3 * t ** 2 + 3 * t + 1, t ** 3].map((w) => w / 6);

// For each of `size` places along a line of `cells`: the cells that count there, and how much.
function along(cells, size) {
  return Array.from({ length: size }, (_, place) => {
    const at = ((place + 0.5) / size) * cells - 0.5;
    const low = Math.floor(at);
    return spline(at - low).map((weight, k) => ({ weight, cell: Math.min(Math.max(low - 1 + k, 0), cells - 1) }));
  });
}

// The grid with many small cells, smooth, its largest value 1.
function smooth(grid) {
  const columns = along(grid[0].length, SMOOTH_SIDE);
  const wide = grid.map((row) =>
    columns.map((near) => near.reduce((sum, { weight, cell }) => sum + weight * row[cell], 0)),
  );
  const fine = along(grid.length, SMOOTH_SIDE).map((near) =>
    columns.map((_, x) => near.reduce((sum, { weight, cell }) => sum + weight * wide[cell][x], 0)),
  );
  const most = Math.max(...fine.flat()) || 1;
  return fine.map((row) => row.map((value) => Math.max(0, value) / most));
}

function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  return canvas;
}

// The glow alone, as opaque as each place counted.
function glow(grid) {
  const canvas = canvasOf(SMOOTH_SIDE, SMOOTH_SIDE);
  const pixels = Uint8ClampedArray.from(
    smooth(grid)
      .flat()
      .flatMap((value) => [...GLOW, 255 * value]),
  );
  canvas.getContext("2d").putImageData(new ImageData(pixels, SMOOTH_SIDE), 0, 0);
  return canvas;
}

const isWhole = ([left, top, right, bottom]) => right - left > WHOLE && bottom - top > WHOLE;

// Has the photo's shape, so that it is fitted into the frame in the same way. The grid covers `area` of the photo; what
// lies around that was not looked at, and is striped.
function heatMap({ grid, area }, { naturalWidth, naturalHeight }) {
  const scale = HEAT_SIDE / Math.max(naturalWidth, naturalHeight);
  const map = canvasOf(Math.round(naturalWidth * scale), Math.round(naturalHeight * scale));
  const context = map.getContext("2d");
  const [left, top, right, bottom] = area;
  /** @type {[number, number, number, number]} */
  const square = [left * map.width, top * map.height, (right - left) * map.width, (bottom - top) * map.height];
  const light = glow(grid);
  context.imageSmoothingQuality = "high";
  context.fillStyle = DIM;
  context.fillRect(0, 0, map.width, map.height);
  context.globalCompositeOperation = "destination-out";
  context.drawImage(light, ...square);
  context.globalCompositeOperation = "source-over";
  context.globalAlpha = GLOW_MOST;
  context.drawImage(light, ...square);
  context.globalAlpha = 1;
  if (!isWhole(area)) stripe(context, map, square);
  map.setAttribute("role", "img");
  return map;
}

function stripe(context, { width, height }, square) {
  context.save();
  context.beginPath();
  context.rect(0, 0, width, height);
  context.rect(...square);
  context.clip("evenodd");
  context.strokeStyle = STRIPE;
  context.lineWidth = 3;
  context.beginPath();
  for (let x = -height; x < width; x += 12) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
  context.restore();
  context.strokeStyle = EDGE;
  context.lineWidth = 2;
  context.strokeRect(...square);
}

// Shows what counted for a label of the answer, or hides that again.
export async function toggleHeat(card, button, label = "") {
  if (button.getAttribute("aria-pressed") === "true") return card.hideHeat();
  const { query, blob } = card;
  const parameters = new URLSearchParams(query);
  parameters.set("explain", label || "1"); // 1: of what is claimed
  try {
    if (!card.explanations.has(label)) {
      button.setAttribute("aria-busy", "true");
      const { answer } = await send(blob, `?${parameters}`, new AbortController().signal, () => {});
      if (!answer.explanation) throw new Trouble("clip_bad_answer");
      card.explanations.set(label, answer.explanation);
    }
  } catch (error) {
    return notice(errorFor(error.code, error.status).words);
  } finally {
    button.removeAttribute("aria-busy");
  }
  // Something else may have been asked meanwhile.
  if (card.query !== query || card.open) return;
  layMap(card, button, card.explanations.get(label));
}

function layMap(card, button, explanation) {
  const { label, area } = explanation;
  card.hideHeat();
  const map = heatMap(explanation, card.picture);
  map.setAttribute("aria-label", say("looked-for", { label }));
  card.$(".frame").append(map);
  card.$(".legend").textContent = say(isWhole(area) ? "bright" : "bright-striped", { label });
  button.setAttribute("aria-pressed", "true");
  announce(card.$(".legend").textContent);
}
