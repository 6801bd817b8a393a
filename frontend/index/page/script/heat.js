// Where the recognizer looked: what counted for its first label, as a heat map over the photo, asked for on demand.

import { send, withParameter } from "./send.js";
import { announce, clamp, errorFor, notice } from "./words.js";

const HEAT_SIDE = 512; // pixels of the map's longer side
// From what did not count to what counted most: red, green, blue, opacity.
const HEAT = [
  [8, 12, 40, 0.72],
  [150, 30, 90, 0.5],
  [255, 200, 60, 0.4],
];

const mixed = (from, to, share) => from.map((value, place) => value + (to[place] - value) * share);

// The color of a relevance, 0 to 1, as four bytes.
function heatOf(relevance) {
  const place = clamp(relevance, 0, 1) * (HEAT.length - 1);
  const low = Math.min(Math.floor(place), HEAT.length - 2);
  const [red, green, blue, opacity] = mixed(HEAT[low], HEAT[low + 1], place - low);
  return [red, green, blue, 255 * opacity];
}

// Has the photo's shape, so that it is fitted into the frame in the same way. The grid covers `area` of the photo; what
// lies around that was not looked at.
function heatMap({ grid, area: [left, top, right, bottom] }, { naturalWidth, naturalHeight }) {
  const [cells, map] = [0, 1].map(() => document.createElement("canvas"));
  [cells.width, cells.height] = [grid[0].length, grid.length];
  const pixels = Uint8ClampedArray.from(grid.flat().flatMap(heatOf));
  cells.getContext("2d").putImageData(new ImageData(pixels, cells.width), 0, 0);
  const scale = HEAT_SIDE / Math.max(naturalWidth, naturalHeight);
  [map.width, map.height] = [Math.round(naturalWidth * scale), Math.round(naturalHeight * scale)];
  const context = map.getContext("2d");
  context.imageSmoothingQuality = "high";
  /** @type {[number, number, number, number]} */
  const area = [left * map.width, top * map.height, (right - left) * map.width, (bottom - top) * map.height];
  context.fillStyle = `rgba(${HEAT[0]})`;
  context.fillRect(0, 0, map.width, map.height);
  context.clearRect(...area);
  context.drawImage(cells, ...area);
  map.setAttribute("role", "img");
  return map;
}

export async function toggleHeat(card) {
  if (card.$(".frame canvas")) return card.hideHeat();
  const { query, blob } = card;
  try {
    const asked = withParameter(query, "explain");
    card.explanation ??= (await send(blob, asked, new AbortController().signal, () => {})).answer.explanation;
  } catch (error) {
    return notice(errorFor(error.code, error.status).words);
  }
  // Something else may have been asked meanwhile.
  if (card.query !== query || card.open || card.$(".frame canvas")) return;
  const { label, grid } = card.explanation;
  const map = heatMap(card.explanation, card.picture);
  map.setAttribute("aria-label", `Where the recognizer looked for ${label}`);
  card.$(".frame").append(map);
  card.$(".legend").textContent =
    `Bright is what counted for “${label}”, in a coarse grid of ${grid[0].length}\u00a0×\u00a0${grid.length}.`;
  card.$(".heat").setAttribute("aria-pressed", "true");
  announce(card.$(".legend").textContent);
}
