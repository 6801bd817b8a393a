// The ways in: choose, drop, paste, camera, drawings. Last in the module, as it starts everything.

for (const id of ["photo", "camera"]) {
  $(id).onchange = () => {
    add([...$(id).files]);
    $(id).value = ""; // so that the same photo can be chosen again
  };
}

for (const button of document.querySelectorAll(".example")) {
  button.onclick = async () => add([await photographed(button.querySelector("svg"), button.dataset.name)]);
}

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

window.ondragover = (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  $("drop").hidden = false;
};
window.ondragleave = (event) => {
  if (!event.relatedTarget) $("drop").hidden = true;
};
window.ondrop = (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  $("drop").hidden = true;
  add([...event.dataTransfer.files]);
};

document.onpaste = (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length) return;
  event.preventDefault();
  add(files);
};

// The second half of a double click is not a wish of its own: it would hit what the first half has put there.
window.addEventListener(
  "click",
  (event) => {
    if (event.detail < 2) return;
    event.preventDefault();
    event.stopPropagation();
  },
  true,
);

$("photo").multiple = true;
$("form").onsubmit = (event) => event.preventDefault();
document.documentElement.classList.add("js");
introduce();
