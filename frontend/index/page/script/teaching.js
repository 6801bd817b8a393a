// "Teach it a thing": photos are chosen, named and learned; what was taught is listed, saved, loaded and forgotten.

import { offerToLookAgain } from "./choice.js";
import { embeddingOfPhoto, things } from "./matching.js";
import { described, introduce, largest } from "./model.js";
import { shrink } from "./shrink.js";
import { save } from "./summary.js";
import { say } from "./texts.js";
import { read, written } from "./thingfile.js";
import {
  areKept,
  called,
  forget,
  forgetAll,
  forgetExample,
  isName,
  MOST_EXAMPLES,
  MOST_THINGS,
  nameOf,
  recall,
  taught,
  teach,
  whenTaught,
} from "./things.js";
import { Trouble } from "./trouble.js";
import { $, announce, errorFor } from "./words.js";

const MOST_FILE_BYTES = 256 * 2 ** 20; // as backend/clip/export/example_file.py has it
const MOST_THUMBS = 200; // small pictures in the list; more things have a number alone

/** @type {File[]} Photos of the thing that is being taught. */
let chosen = [];
let isLearning = false;
let addresses = new Map(); // from a small picture to its address

const model = () => ({ model: described().model, weights: described().weights_sha256 });

function tell(text) {
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
async function taking(event, act) {
  const all = () =>
    [...$("teach").querySelectorAll("button:not([hidden]), summary")].filter((one) => one.checkVisibility());
  const at = all().indexOf(event.currentTarget);
  await act();
  const left = all();
  left[Math.min(at, left.length - 1)].focus();
}

function show() {
  const used = new Map();
  $("lesson-photos").replaceChildren(
    ...chosen.map((file, place) =>
      thumb(
        file,
        place + 1,
        say("teach-take-out", { number: place + 1 }),
        (event) =>
          taking(event, () => {
            chosen = chosen.filter((one) => one !== file);
            show();
          }),
        used,
      ),
    ),
  );
  let room = MOST_THUMBS;
  $("things").replaceChildren(
    ...things().map((thing) => {
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
      away.onclick = (event) => taking(event, () => forget(thing));
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
                (event) => taking(event, () => forgetExample(thing, example)),
                used,
              ),
            ),
          );
      return element;
    }),
  );
  for (const [blob, url] of addresses) if (!used.has(blob)) URL.revokeObjectURL(url);
  addresses = used;
  const others = described() ? taught().length - things().length : 0;
  $("things-note").textContent = [
    areKept() || !taught().length ? "" : say("teach-not-kept"),
    others ? say("teach-other-model", { count: others }) : "",
  ]
    .filter(Boolean)
    .join(" ");
  $("things-save").hidden = !things().length;
  $("things-forget").hidden = !taught().length;
}

whenTaught(() => {
  show();
  if (!$("outcome").hidden) offerToLookAgain();
});

function choose(files) {
  chosen.push(...files);
  $("teach").open = true;
  show();
  tell(files.length ? say("teach-chosen", { count: chosen.length }) : "");
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
  if (!chosen.length) return say("teach-no-photos");
  if (!isName(name)) return say(name ? "teach-bad-name" : "teach-no-name");
  const known = called(name, model().weights);
  if (!known && things().length >= MOST_THINGS) return say("teach-too-many", { count: MOST_THINGS });
  if (chosen.length + (known?.examples.length ?? 0) > MOST_EXAMPLES)
    return say("teach-enough", { count: MOST_EXAMPLES });
  return "";
}

$("lesson").onsubmit = async (event) => {
  event.preventDefault();
  if (isLearning) return;
  isLearning = true;
  await introduce();
  const name = nameOf($("lesson-name").value);
  const wrong = problem(name);
  if (wrong) {
    tell(wrong);
    (chosen.length && described() ? $("lesson-name") : $("lesson-files")).focus();
  } else await learnThem(name);
  isLearning = false;
};

async function learnThem(name) {
  const files = chosen;
  const [examples, failed] = [[], []];
  let reason = "";
  for (const file of files) {
    tell(say("teach-learning", { done: examples.length + failed.length + 1, count: files.length }));
    try {
      examples.push(await exampleOf(file));
    } catch (error) {
      reason = errorFor(error.code, error.status).words;
      failed.push(file);
    }
  }
  chosen = [...failed, ...chosen.filter((file) => !files.includes(file))];
  if (examples.length) await teach(name, model(), examples);
  show();
  if (failed.length) return tell(say("teach-failed", { count: failed.length, reason }));
  $("lesson-name").value = "";
  tell(say("teach-learned", { name, count: examples.length }));
  $("lesson-note").focus();
}

$("things-save").onclick = () => save(written(model(), things()), "things.json", "application/json");

$("things-forget").onclick = (event) =>
  taking(event, async () => {
    await forgetAll();
    tell(say("teach-forgotten"));
  });

$("things-file").onchange = async () => {
  const [file] = $("things-file").files;
  $("things-file").value = "";
  await introduce();
  tell(file ? await loaded(file) : "");
};

// Takes over what a file has; says how that went.
async function loaded(file) {
  let said;
  try {
    if (file.size > MOST_FILE_BYTES) throw new Error("too large");
    said = read(await file.text());
  } catch {
    return say("teach-bad-file", { name: file.name });
  }
  if (!described()?.weights_sha256) return say("teach-no-model");
  if (said.weights !== described().weights_sha256) return say("teach-other-file", { model: said.model });
  let count = 0;
  for (const { name, examples } of said.things) {
    const known = called(name, said.weights);
    const room = known ? MOST_EXAMPLES - known.examples.length : things().length < MOST_THINGS ? MOST_EXAMPLES : 0;
    const fresh = examples.filter((example) => !known?.examples.some((one) => isSame(one, example)));
    if (!Math.min(room, fresh.length)) continue;
    await teach(name, model(), fresh.slice(0, room));
    count += 1;
  }
  return say("teach-loaded", { count });
}

const isSame = (one, other) => one.embedding.every((value, place) => value === other.embedding[place]);

async function begin() {
  await Promise.all([recall(), introduce()]);
  show();
}

document.addEventListener("visibilitychange", () => document.hidden || recall());
begin();
