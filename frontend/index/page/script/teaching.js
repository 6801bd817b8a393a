// "Teach it a thing": photos are lessonPhotos, named and learned; what was taught is listed, saved, loaded and forgotten.

import { offerToLookAgain } from "./choice.js";
import { embeddingOfPhoto, usedThings } from "./matching.js";
import { described, introduce, largest } from "./model.js";
import { shrink } from "./shrink.js";
import { save } from "./summary.js";
import { say } from "./texts.js";
import { readThings, writtenThings } from "./thingfile.js";
import {
  areKept,
  called,
  forget,
  forgetAll,
  forgetExample,
  isName,
  MOST_EXAMPLES,
  MOST_THINGS,
  recall,
  taught,
  teach,
  thingName,
  whenTaught,
} from "./things.js";
import { Trouble } from "./trouble.js";
import { $, announce, errorFor } from "./words.js";

const MOST_FILE_BYTES = 256 * 2 ** 20; // as backend/clip/export/example_file.py has it
const MOST_THUMBS = 200; // small pictures in the list; more things have a number alone

/** @type {File[]} Photos of the thing that is being taught. */
let lessonPhotos = [];
let isLearning = false;
let addresses = new Map(); // from a small picture to its address

const teacher = () => ({ model: described().model, weights: described().weights_sha256 });

function tellLesson(text) {
  $("lesson-note").textContent = text;
  if (text) announce(text);
}

function addressOf(blob, used) {
  const url = addresses.get(blob) ?? URL.createObjectURL(blob);
  used.set(blob, url);
  return url;
}

// A small picture with a button that takes it away.
function thumb(blob, number, label, remove, used) {
  const element = $("thumb").content.firstElementChild.cloneNode(true);
  const [image, button] = [element.querySelector("img"), element.querySelector("button")];
  element.querySelector(".number").textContent = blob ? "" : String(number);
  image.hidden = !blob;
  image.onerror = () => {
    image.hidden = true;
    element.querySelector(".number").textContent = String(number);
  };
  if (blob) image.src = addressOf(blob, used);
  button.setAttribute("aria-label", label);
  button.onclick = remove;
  return element;
}

// A button that goes away hands the keyboard's place to one near it.
async function takingAway(event, act) {
  const all = () =>
    [...$("teach").querySelectorAll("button:not([hidden]), summary")].filter((one) => one.checkVisibility());
  const at = all().indexOf(event.currentTarget);
  await act();
  const left = all();
  left[Math.min(at, left.length - 1)].focus();
}

function showThings() {
  const used = new Map();
  $("lesson-photos").replaceChildren(
    ...lessonPhotos.map((file, place) =>
      thumb(
        file,
        place + 1,
        say("teach-take-out", { number: place + 1 }),
        (event) =>
          takingAway(event, () => {
            lessonPhotos = lessonPhotos.filter((one) => one !== file);
            showThings();
          }),
        used,
      ),
    ),
  );
  let room = MOST_THUMBS;
  $("things").replaceChildren(
    ...usedThings().map((thing) => {
      const element = $("thing").content.firstElementChild.cloneNode(true);
      const [more, away] = element.querySelectorAll("button");
      element.querySelector("h3").textContent = thing.name;
      element.querySelector(".tally").textContent = say("teach-count", { count: thing.examples.length });
      more.setAttribute("aria-label", say("teach-more-of", { name: thing.name }));
      more.onclick = () => {
        $("lesson-name").value = thing.name;
        $("lesson-files").click();
      };
      away.setAttribute("aria-label", say("teach-forget-one", { name: thing.name }));
      away.onclick = (event) => takingAway(event, () => forget(thing));
      room -= thing.examples.length;
      if (room >= 0)
        element
          .querySelector(".thumbs")
          .append(
            ...thing.examples.map((example, place) =>
              thumb(
                example.thumb,
                place + 1,
                say("teach-forget-photo", { name: thing.name, number: place + 1 }),
                (event) => takingAway(event, () => forgetExample(thing, example)),
                used,
              ),
            ),
          );
      return element;
    }),
  );
  for (const [blob, url] of addresses) if (!used.has(blob)) URL.revokeObjectURL(url);
  addresses = used;
  const others = described() ? taught().length - usedThings().length : 0;
  $("things-note").textContent = [
    areKept() || !taught().length ? "" : say("teach-not-kept"),
    others ? say("teach-other-model", { count: others }) : "",
  ]
    .filter(Boolean)
    .join(" ");
  $("things-save").hidden = !usedThings().length;
  $("things-forget").hidden = !taught().length;
}

whenTaught(() => {
  showThings();
  if (!$("outcome").hidden) offerToLookAgain();
});

function choose(files) {
  const all = [...lessonPhotos, ...files];
  lessonPhotos = all.slice(0, MOST_EXAMPLES);
  $("teach").open = true;
  showThings();
  if (all.length > MOST_EXAMPLES) tellLesson(say("teach-enough", { count: MOST_EXAMPLES }));
  else tellLesson(files.length ? say("teach-chosen", { count: all.length }) : "");
  $("lesson-name").focus();
}

for (const id of ["lesson-files", "lesson-camera"]) {
  $(id).onchange = () => {
    choose([...$(id).files]);
    $(id).value = "";
  };
}

// What is dropped or pasted here is to be learned; whether it is.
export function teachThese(target, files) {
  if (!(target instanceof Element) || !target.closest("#teach") || !files.length) return false;
  choose(files);
  return true;
}

// The photo as an example. A preview is the browser's own small picture.
async function exampleOf(file) {
  const { blob, thumb: small } = await shrink(file);
  if (blob.size > largest()) throw new Trouble("body_too_large", 413);
  return { embedding: await embeddingOfPhoto(blob), thumb: small };
}

// What is wrong with a lesson, or "".
function problem(name) {
  if (!described()?.weights_sha256) return say("teach-no-model");
  if (!lessonPhotos.length) return say("teach-no-photos");
  if (!isName(name)) return say(name ? "teach-bad-name" : "teach-no-name");
  const known = called(name, teacher().weights);
  if (!known && usedThings().length >= MOST_THINGS) return say("teach-too-many", { count: MOST_THINGS });
  if (lessonPhotos.length + (known?.examples.length ?? 0) > MOST_EXAMPLES)
    return say("teach-enough", { count: MOST_EXAMPLES });
  return "";
}

$("lesson").onsubmit = async (event) => {
  event.preventDefault();
  if (isLearning) return;
  isLearning = true;
  await introduce();
  const name = thingName($("lesson-name").value);
  const wrong = problem(name);
  if (wrong) {
    tellLesson(wrong);
    (lessonPhotos.length && described() ? $("lesson-name") : $("lesson-files")).focus();
  } else await learnThem(name);
  isLearning = false;
};

async function learnThem(name) {
  const files = lessonPhotos;
  const [examples, failed] = [[], []];
  let reason = "";
  for (const file of files) {
    tellLesson(say("teach-learning", { done: examples.length + failed.length + 1, count: files.length }));
    try {
      examples.push(await exampleOf(file));
    } catch (error) {
      reason = errorFor(error.code, error.status).words;
      failed.push(file);
    }
  }
  lessonPhotos = [...failed, ...lessonPhotos.filter((file) => !files.includes(file))];
  if (examples.length) await teach(name, teacher(), examples);
  showThings();
  if (failed.length) return tellLesson(say("teach-failed", { count: failed.length, reason }));
  $("lesson-name").value = "";
  tellLesson(say("teach-learned", { name, count: examples.length }));
  $("lesson-note").focus();
}

$("things-save").onclick = () => save(writtenThings(teacher(), usedThings()), "things.json", "application/json");

$("things-forget").onclick = (event) =>
  takingAway(event, async () => {
    await forgetAll();
    tellLesson(say("teach-forgotten"));
  });

$("things-file").onchange = async () => {
  const [file] = $("things-file").files;
  $("things-file").value = "";
  await introduce();
  tellLesson(file ? await loaded(file) : "");
};

// Takes over what a file has; says how that went.
async function loaded(file) {
  let said;
  try {
    if (file.size > MOST_FILE_BYTES) throw new Error("too large");
    said = readThings(await file.text());
  } catch {
    return say("teach-bad-file", { name: file.name });
  }
  if (!described()?.weights_sha256) return say("teach-no-model");
  if (said.weights !== described().weights_sha256) return say("teach-other-file", { model: said.model });
  let count = 0;
  for (const { name, examples } of said.things) {
    const known = called(name, said.weights);
    const room = known ? MOST_EXAMPLES - known.examples.length : usedThings().length < MOST_THINGS ? MOST_EXAMPLES : 0;
    const fresh = examples.filter((example) => !known?.examples.some((one) => isSameExample(one, example)));
    if (!Math.min(room, fresh.length)) continue;
    await teach(name, teacher(), fresh.slice(0, room));
    count += 1;
  }
  return say("teach-loaded", { count });
}

const isSameExample = (one, other) => one.embedding.every((value, place) => value === other.embedding[place]);

async function recallThings() {
  await Promise.all([recall(), introduce()]);
  showThings();
}

document.addEventListener("visibilitychange", () => document.hidden || recall());
recallThings();
