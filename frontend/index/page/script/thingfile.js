// A file of examples, as EXAMPLES= reads it: see backend/clip/export/example_file.py.

import { isName, LONGEST_NAME, MOST_EXAMPLES, MOST_THINGS, thingName } from "./things.js";

const FORM_VERSION = 1;
const UNIT = [0.99, 1.01];

// The bytes of an embedding: float32, the least significant byte first.
export function embeddingOf(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  if (!bytes.length || bytes.length % 4) throw new Error("no numbers");
  const view = new DataView(bytes.buffer);
  const row = Float32Array.from({ length: bytes.length / 4 }, (_, place) => view.getFloat32(4 * place, true));
  if (!row.every(Number.isFinite)) throw new Error("no numbers");
  return row;
}

function base64Of(embedding) {
  const view = new DataView(new ArrayBuffer(4 * embedding.length));
  for (const [place, value] of embedding.entries()) view.setFloat32(4 * place, value, true);
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}

export const writtenThings = ({ model, weights }, things) =>
  `${JSON.stringify(
    {
      version: FORM_VERSION,
      model,
      weights_sha256: weights,
      things: things.map(({ name, examples }) => ({
        name,
        embeddings: examples.map(({ embedding }) => base64Of(embedding)),
      })),
    },
    null,
    1,
  )}\n`;

// {model, weights, things: [{name, examples}]} of such a file; throws where it is not one.
export function readThings(text) {
  const { version, model, weights_sha256: weights, things } = JSON.parse(text);
  if (version !== FORM_VERSION || typeof model !== "string" || typeof weights !== "string")
    throw new Error("another form");
  if (!Array.isArray(things) || !things.length || things.length > MOST_THINGS) throw new Error("no things");
  return { model, weights, things: things.map(thingOf) };
}

function thingOf({ name: given, embeddings }) {
  if (typeof given !== "string" || given.length > 2 * LONGEST_NAME) throw new Error("no name");
  const name = thingName(given);
  if (!isName(name)) throw new Error("no name");
  if (!embeddings.length || embeddings.length > MOST_EXAMPLES) throw new Error("no examples");
  return { name, examples: embeddings.map((one) => ({ embedding: unit(embeddingOf(one)), thumb: null })) };
}

function unit(embedding) {
  const length = Math.hypot(...embedding);
  if (length < UNIT[0] || length > UNIT[1]) throw new Error("no unit length");
  return embedding;
}
