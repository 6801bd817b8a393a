// Folders that are dropped or chosen: the pictures in them, however deep.

import { LANGUAGE } from "./language.js";
import { say } from "./texts.js";
import { $, notice } from "./words.js";

const ENDINGS = new Set(
  $("photo")
    .accept.split(",")
    .filter((kind) => kind.startsWith(".")),
);

const isHidden = (file) => file.name.startsWith(".");
const isPicture = (file) => ENDINGS.has(file.name.slice(file.name.lastIndexOf(".")).toLowerCase()) && !isHidden(file);

// The pictures of a folder in the order of their paths; says which other files were left out.
export function picturesOf(files) {
  const pictures = files.filter(isPicture);
  const others = files.filter((file) => !isHidden(file) && !isPicture(file));
  if (!pictures.length) notice(say("no-picture"));
  else if (others.length)
    notice(say("left-out", { name: others[0].name, count: others.length, more: others.length - 1 }));
  const path = (file) => file.webkitRelativePath || file.name;
  return pictures.sort((a, b) => path(a).localeCompare(path(b), LANGUAGE, { numeric: true }));
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
