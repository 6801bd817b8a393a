// Makes a photo as small as the recognizer needs it: its model sees a few hundred pixels, whatever is sent. The page
// has a thread of its own for that, so that it stays smooth: see worker.js.

const ENOUGH_BYTES = 300_000;
export const LONG_SIDE = 1024;
const SHORT_SIDE = 384; // of a panorama, whose long side alone would leave nothing of it
const THUMB_SIDE = 288; // the short side of the picture on the wall
const THUMB_LONG_SIDE = 640;
const QUALITIES = [0.86, 0.7, 0.5];
const THUMB_QUALITY = 0.75;

// The `blob` to send, a JPEG under 300 KB and upright, or null where the file itself is small enough; and a `thumb` for
// the wall. Throws where this browser cannot open the file.
export async function smaller(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    const [long, short] = [Math.max(bitmap.width, bitmap.height), Math.min(bitmap.width, bitmap.height)];
    const scale = Math.min(1, Math.max(LONG_SIDE / long, SHORT_SIDE / short));
    const blob =
      scale < 1 || file.size > ENOUGH_BYTES ? await jpeg(bitmap, bitmap.width * scale, bitmap.height * scale) : null;
    const small = Math.min(1, THUMB_LONG_SIDE / long, THUMB_SIDE / short);
    const thumb = await jpeg(bitmap, bitmap.width * small, bitmap.height * small, [THUMB_QUALITY]);
    return { blob: blob && blob.size < file.size ? blob : null, thumb };
  } finally {
    bitmap.close();
  }
}

// A picture, or a part of the document that can be drawn, as a JPEG of this size, with the first quality that is enough.
export async function jpeg(source, width, height, qualities = QUALITIES) {
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(width)), Math.max(1, Math.round(height)));
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "white"; // behind what is transparent: what the preview shows, too
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  let blob = null;
  for (const quality of qualities) {
    blob = await canvas.convertToBlob({ type: "image/jpeg", quality });
    if (blob.size < ENOUGH_BYTES) break;
  }
  return blob;
}
