// What counted where in a photo, as numbers and as a glow: the grids of one look at it, or of several, each of a part.

const SMOOTH_SIDE = 96; // cells of each side of a grid once it is smooth, and of the glow's shorter side
const GLOW = [255, 150, 30]; // the one hue
const LEAST = 1e-3; // what a look counts at its very edge, where others overlap it

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

// What the looks say of a place together. Each counts the less the nearer the place is to its edge, so that none is seen.
function at(looks, x, y) {
  let [sum, weights] = [0, 0];
  for (const { fine, share, area } of looks) {
    const [left, top, right, bottom] = area;
    const [across, down] = [(x - left) / (right - left), (y - top) / (bottom - top)];
    if (Math.min(across, down) < 0 || Math.max(across, down) >= 1) continue;
    const weight = LEAST + Math.min(across, 1 - across, down, 1 - down);
    sum += weight * share * fine[Math.floor(down * SMOOTH_SIDE)][Math.floor(across * SMOOTH_SIDE)];
    weights += weight;
  }
  return weights ? sum / weights : 0;
}

/**
 * The glow alone, of the whole photo, as opaque as each place counted.
 * @param {{grid: number[][], area: number[], share: number}[]} looks where each lies in the photo, and how much it counts
 * @param {number} ratio of the photo's width to its height
 */
export function glow(looks, ratio) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(SMOOTH_SIDE * Math.max(1, ratio));
  canvas.height = Math.round(SMOOTH_SIDE * Math.max(1, 1 / ratio));
  const most = Math.max(...looks.map(({ share }) => share)) || 1;
  const all = looks.map(({ grid, area, share }) => ({ fine: smooth(grid), area, share: share / most }));
  const pixels = new Uint8ClampedArray(4 * canvas.width * canvas.height);
  for (let place = 0; place < pixels.length / 4; place += 1) {
    const [x, y] = [(place % canvas.width) + 0.5, Math.floor(place / canvas.width) + 0.5];
    pixels.set([...GLOW, 255 * at(all, x / canvas.width, y / canvas.height)], 4 * place);
  }
  canvas.getContext("2d").putImageData(new ImageData(pixels, canvas.width), 0, 0);
  return canvas;
}
