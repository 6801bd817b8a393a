// How much a photo is like the things that were taught: nearest class mean of embeddings, less what all photographs have in
// common. The recognizer computes the same where it learns from a file: backend/clip/recognition/examples.py.

export const RECOGNIZED = 0.5; // confidence

// Of a model for which nobody has measured what photographs look like: that of backend/clip/recognition/background.py.
const UNMEASURED = [19.3, -9.18, 2.22];
const DRAWN_THINGS = 5; // what the drawings together count as

const dot = (one, other) => one.reduce((sum, value, place) => sum + value * other[place], 0);

function meanOf(rows) {
  const sum = new Float64Array(rows[0].length);
  for (const row of rows) for (let place = 0; place < sum.length; place += 1) sum[place] += row[place];
  return sum.map((value) => value / rows.length);
}

// What distinguishes an embedding from photographs in general, in unit length.
function centered(embedding, center) {
  const rest = Float64Array.from(embedding, (value, place) => value - center[place]);
  const length = Math.max(Math.sqrt(dot(rest, rest)), 1e-12);
  return rest.map((value) => value / length);
}

/**
 * What is known of photographs where nobody has measured it: {center, weights}.
 * @param {ArrayLike<number>[][]} things the embeddings of each thing's photos
 * @param {ArrayLike<number>[]} drawn the embeddings of drawings
 */
export function unmeasured(things, drawn) {
  const means = things.map(meanOf);
  const ofDrawings = meanOf(drawn);
  const count = means.length + DRAWN_THINGS;
  const center = ofDrawings.map(
    (value, place) => (means.reduce((sum, mean) => sum + mean[place], 0) + DRAWN_THINGS * value) / count,
  );
  return { center, weights: UNMEASURED };
}

/**
 * The prototypes of things, for `likenesses`.
 * @param {ArrayLike<number>[][]} things the embeddings of each thing's photos
 * @param {{center: ArrayLike<number>, weights: number[]}} background
 */
export function learn(things, background) {
  const prototypes = things.map((photos) =>
    centered(meanOf(photos.map((photo) => centered(photo, background.center))), new Float64Array(photos[0].length)),
  );
  return { prototypes, counts: things.map((photos) => photos.length), background };
}

/**
 * The probability of each thing, with all others and everything else as its rivals.
 * @param {ReturnType<typeof learn>} learned
 * @param {ArrayLike<number>} embedding
 */
export function likenesses({ prototypes, counts, background }, embedding) {
  const [scale, bias, byCount] = background.weights;
  const image = centered(embedding, background.center);
  const odds = prototypes.map((prototype, thing) => scale * dot(prototype, image) + bias + byCount / counts[thing]);
  const most = Math.max(0, ...odds);
  const exponents = odds.map((value) => Math.exp(value - most));
  const sum = exponents.reduce((total, value) => total + value, Math.exp(-most));
  return exponents.map((value) => value / sum);
}
