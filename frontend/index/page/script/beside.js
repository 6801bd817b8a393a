// The parts of a photo that lie beside what the model looks at by itself, the square in its middle: looked at when that is
// asked for, so that the map of what counted covers all of it.

import { cutOut } from "./part.js";
import { query } from "./query.js";
import { send } from "./send.js";
import { Trouble } from "./trouble.js";

const NEXT_TO_NOTHING = 0.005; // a share of a side

// Where parts as long as what lies between `low` and `high` begin along a side, so that they cover the rest of it.
function starts(low, high) {
  const length = high - low;
  const found = [];
  for (let start = 0; start < low - NEXT_TO_NOTHING; start += length) found.push(start);
  for (let end = 1; end > high + NEXT_TO_NOTHING; end -= length) found.push(end - length);
  return found;
}

// The parts beside an area, in fractions of the photo's sides.
export function beside([left, top, right, bottom]) {
  const [width, height] = [right - left, bottom - top];
  return [
    ...starts(left, right).map((x) => ({ x, y: top, width, height })),
    ...starts(top, bottom).map((y) => ({ x: left, y, width, height })),
  ];
}

// The same question about one picture: how sure it is that this shows what the label says, and where. `part` is where the
// picture lies in the photo.
async function look(blob, label, { x, y, width, height }) {
  const parameters = new URLSearchParams(query([label]));
  parameters.set("explain", label);
  const { answer } = await send(blob, `?${parameters}`, new AbortController().signal, () => {});
  if (!answer.explanation) throw new Trouble("clip_bad_answer");
  const { grid, area } = answer.explanation;
  const [left, top, right, bottom] = area;
  const there = [x + left * width, y + top * height, x + right * width, y + bottom * height];
  return { grid, area: there, share: answer.confidence };
}

// All looks at a photo, of which `area` is what the model sees by itself. Each has a share of the glow: its grid says where
// within it the label was found, and its confidence how much there was to be found.
export async function lookEverywhere(card, { label, area }) {
  const looks = [await look(card.blob, label, { x: 0, y: 0, width: 1, height: 1 })];
  for (const part of beside(area)) looks.push(await look(await cutOut(card, part), label, part));
  return looks;
}
