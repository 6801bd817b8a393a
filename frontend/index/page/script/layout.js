// Where each group and each photo of the wall is, in pixels: computed, so that only what is near the window has to be made.

/**
 * Groups stand beside each other where there is room, each as wide as its photos.
 * @param {{key: string, word: string, photos: any[]}[]} groups one with the key "" has no heading
 * @param {{columns: number, width: number, height: number, gap: number, head: number, between: number}} sizes of a tile,
 *   the gap between tiles, the height of a heading, and what is between two rows of groups
 * @param {Set<string>} folded keys of groups of which only the heading is seen
 */
export function layOut(groups, { columns, width, height, gap, head, between }, folded) {
  const boxes = [];
  let [top, column, bottom] = [0, 0, 0];
  for (const { key, word, photos } of groups) {
    const across = key ? Math.min(photos.length, columns) : columns;
    if (column && column + across > columns) [top, column] = [bottom + between, 0];
    const lines = folded.has(key) ? 0 : Math.ceil(photos.length / across);
    const over = key ? head : 0;
    const box = {
      ...{ key, word, photos, lines, across, over, top },
      left: column * (width + gap),
      width: across * (width + gap) - gap,
      height: over + Math.max(0, lines * (height + gap) - gap),
    };
    boxes.push(box);
    column += across;
    bottom = Math.max(bottom, top + box.height);
  }
  return { boxes, height: bottom };
}

// Where the photo at a place is in the box of its group.
export const placeIn = (box, place, { width, height, gap }) => ({
  left: (place % box.across) * (width + gap),
  top: box.over + Math.floor(place / box.across) * (height + gap),
});

// All that the keyboard can reach, in its order: headings (without a photo) and photos, with where they are on the wall.
export function stopsOf(boxes, sizes) {
  return boxes.flatMap((box) => {
    const { key, left, top } = box;
    const head = key ? [{ key, photo: null, left, top, right: left + box.width, bottom: top + sizes.head }] : [];
    const seen = box.lines ? box.photos : [];
    const tiles = seen.map((photo, place) => {
      const at = placeIn(box, place, sizes);
      const [x, y] = [left + at.left, top + at.top];
      return { key, photo, left: x, top: y, right: x + sizes.width, bottom: y + sizes.height };
    });
    return [...head, ...tiles];
  });
}

// The stop that an arrow key leads to: the next in order, or the nearest in the next line; undefined at an end.
export function neighbor(stops, from, key) {
  const place = stops.indexOf(from);
  if (key === "Home") return stops[0];
  if (key === "End") return stops.at(-1);
  if (key === "ArrowLeft") return stops[place - 1];
  if (key === "ArrowRight") return stops[place + 1];
  const isDown = key === "ArrowDown";
  const beyond = stops.filter((stop) => (isDown ? stop.top >= from.bottom - 1 : stop.bottom <= from.top + 1));
  if (!beyond.length) return undefined;
  const edge = isDown ? Math.min(...beyond.map(({ top }) => top)) : Math.max(...beyond.map(({ bottom }) => bottom));
  const line = beyond.filter((stop) => (isDown ? stop.top : stop.bottom) === edge);
  const away = ({ left, right }) => Math.abs(left + right - from.left - from.right);
  return line.reduce((best, stop) => (away(stop) < away(best) ? stop : best));
}
