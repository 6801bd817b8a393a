// Makes a photo as small as the recognizer needs it: its model sees a few hundred pixels, whatever is sent.

import { askedSmaller } from "./shrinker.js";
import { jpeg } from "./smaller.js";
import { Trouble } from "./trouble.js";

// The picture as a `blob` to send: a JPEG under 300 KB and upright, or the file itself where it is small enough already
// or where this browser cannot open it (HEIC outside Safari); then the recognizer decides. `opens`: whether this
// browser can; `thumb`: a small JPEG for the wall, or null. Throws Trouble.
export async function shrink(file) {
  const { blob, thumb, opens } = await askedSmaller(file);
  return { blob: blob ?? (opens ? file : await readable(file)), thumb, opens };
}

// A folder that was dropped, or a file that is gone, looks like a file until it is read.
async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Trouble("unreadable");
  }
  return file;
}

// One of the page's own drawings as a file, as if someone had chosen it.
export async function drawn(svg, name) {
  const url = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return new File([await jpeg(image, 480, 480)], `${name}.jpg`, { type: "image/jpeg" });
  } finally {
    URL.revokeObjectURL(url);
  }
}
