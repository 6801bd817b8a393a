// The ways in: choose, drop, paste, camera, drawings. Last in the module, as it starts everything.

import { add } from "./adding.js";
import { readAddress } from "./choice.js";
import { dropped, picturesOf } from "./folders.js";
import { checkWords } from "./known.js";
import { offerLanguages } from "./language.js";
import { introduce } from "./model.js";
import { drawn } from "./shrink.js";
import { teachThese } from "./teaching.js";
import { say } from "./texts.js";
import { $, notice } from "./words.js";
import "./camera.js";
import "./large.js";
import "./removal.js";
import "./shelf.js";

const WEB_ADDRESS = /^https?:\/\/\S+$/i;

for (const id of ["photo", "camera", "folder"]) {
  $(id).onchange = () => {
    const files = [...$(id).files];
    add(id === "folder" ? picturesOf(files) : files);
    $(id).value = ""; // so that the same photo can be chosen again
  };
}

/** @type {NodeListOf<HTMLButtonElement>} */
const examples = document.querySelectorAll(".example");
for (const button of examples) {
  button.onclick = async (event) => {
    if (event.detail < 2) add([await drawn(button.querySelector("svg"), button.dataset.name)]);
  };
}

const carries = (event, kind) => event.dataTransfer?.types.includes(kind);

window.ondragover = (event) => {
  if (!carries(event, "Files") && !carries(event, "text/uri-list")) return;
  event.preventDefault();
  const isLesson = event.target instanceof Element && event.target.closest("#teach");
  $("teach").toggleAttribute("data-over", Boolean(isLesson));
  $("drop").hidden = Boolean(isLesson);
};
window.ondragleave = (event) => {
  if (event.relatedTarget) return;
  $("drop").hidden = true;
  $("teach").removeAttribute("data-over");
};
window.ondrop = async (event) => {
  $("drop").hidden = true;
  $("teach").removeAttribute("data-over");
  if (!carries(event, "Files") && !carries(event, "text/uri-list")) return;
  event.preventDefault();
  const { target } = event;
  const files = await dropped(event.dataTransfer);
  if (teachThese(target, files)) return;
  if (files.length) add(files);
  else if (carries(event, "text/uri-list")) notice(say("no-addresses"));
};

document.onpaste = (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  const field = event.target instanceof Element && event.target.closest("input[type=text], input:not([type])");
  if (files.length) {
    event.preventDefault();
    if (!teachThese(event.target, files)) add(files);
  } else if (!field && WEB_ADDRESS.test(event.clipboardData?.getData("text").trim())) notice(say("no-addresses"));
};

// The second half of a double click belongs to what the first half has hit, not to what has taken its place.
let hit = null;
window.addEventListener(
  "click",
  (event) => {
    if (event.detail < 2) hit = event.target;
    else if (event.target !== hit) {
      event.preventDefault();
      event.stopPropagation();
    }
  },
  true,
);

$("form").onsubmit = (event) => event.preventDefault();
document.documentElement.classList.add("js");
history.replaceState(null, ""); // what a document before this one has left there
offerLanguages();
readAddress();
introduce().then(checkWords);
