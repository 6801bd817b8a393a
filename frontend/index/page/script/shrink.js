// Makes a photo as small as the recognizer needs it: its model sees a few hundred pixels, whatever is sent.

import { Trouble } from "./trouble.js";

const ENOUGH_BYTES = 300_000;
export const LONG_SIDE = 1024;
const SHORT_SIDE = 384; // of a panorama, whose long side alone would leave nothing of it
const QUALITIES = [0.86, 0.7, 0.5];

// The picture as a `blob` to send: a JPEG under 300 KB and upright, or the file itself where it is small enough already
// or where this browser cannot open it (HEIC outside Safari); then the recognizer decides. `opens`: whether this
// browser can. Throws Trouble.
export async function shrink(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return { blob: await readable(file), opens: false };
  }
  try {
    const long = Math.max(bitmap.width, bitmap.height);
    const scale = Math.min(1, Math.max(LONG_SIDE / long, SHORT_SIDE / Math.min(bitmap.width, bitmap.height)));
    if (scale === 1 && file.size <= ENOUGH_BYTES) return { blob: file, opens: true };
    const smaller = await jpeg(bitmap, bitmap.width * scale, bitmap.height * scale);
    return { blob: smaller && smaller.size < file.size ? smaller : file, opens: true };
  } finally {
    bitmap.close();
  }
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

export async function jpeg(source, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width));
  canvas.height = Math.max(1, Math.round(height));
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "white"; // behind what is transparent: what the preview shows, too
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  let blob = null;
  for (const quality of QUALITIES) {
    blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (!blob || blob.size < ENOUGH_BYTES) break;
  }
  return blob;
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
