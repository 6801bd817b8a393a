// Folders that are dropped or chosen: the pictures in them, however deep.

import { notice } from "./words.js";

const PICTURE = /\.(jpe?g|jfif|png|webp|gif|bmp|tiff?|avif|heic|heif)$/i;

const isPicture = (file) => PICTURE.test(file.name) && !file.name.startsWith(".");

// The pictures of a folder in the order of their paths; says how many other files were left out.
export function picturesOf(files) {
  const pictures = files.filter(isPicture);
  const others = files.filter((file) => !file.name.startsWith(".")).length - pictures.length;
  if (!pictures.length) notice("There is no picture in this folder.");
  else if (others) notice(`${others === 1 ? "1 other file is" : `${others} other files are`} left out.`);
  const path = (file) => file.webkitRelativePath || file.name;
  return pictures.sort((a, b) => path(a).localeCompare(path(b), "en", { numeric: true }));
}

// The files of something that was dropped. Its folders must be asked for before anything is awaited.
export async function dropped(transfer) {
  const entries = [...(transfer.items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [...transfer.files];
  if (!entries.some((entry) => entry.isDirectory)) return files;
  return picturesOf((await Promise.all(entries.map(filesIn))).flat());
}

async function filesIn(entry) {
  if (entry.isFile)
    return new Promise((resolve) =>
      entry.file(
        (file) => resolve([file]),
        () => resolve([]),
      ),
    );
  const reader = entry.createReader();
  const inside = [];
  // A reader gives a hundred entries at a time, and an empty list at the end.
  for (;;) {
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!some.length) break;
    inside.push(...some);
  }
  return (await Promise.all(inside.map(filesIn))).flat();
}
