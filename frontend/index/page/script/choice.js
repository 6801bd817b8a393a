// What the visitor wants to choose from: the model's words, everyday things, or words of their own. It is in the
// address, so that a link has it.

const chosen = () => $("choice").querySelector(":checked").value;
const ownWords = () => [...$("chips").children].map((chip) => chip.firstElementChild.textContent);
const split = (text) =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);

// The query that makes the recognizer choose between what the visitor wants, or "".
function wanted() {
  if (chosen() === "everyday") return "?vocabulary=everyday";
  const words = [...ownWords(), ...split($("labels").value)];
  if (chosen() !== "" || !words.length) return "";
  const template = $("advanced").hidden ? "" : $("template").value.trim();
  return `?${new URLSearchParams({ labels: words.join(","), ...(template && { template }) })}`;
}

function addWords(words) {
  const there = new Set(ownWords().map((word) => word.toLowerCase()));
  for (const word of words) {
    if (there.has(word.toLowerCase())) continue;
    there.add(word.toLowerCase());
    const chip = document.createElement("li");
    const [text, remove] = ["span", "button"].map((kind) => document.createElement(kind));
    text.textContent = word;
    text.dir = "auto";
    remove.textContent = "×";
    remove.setAttribute("aria-label", `Take out ${word}`);
    remove.onclick = () => {
      (chip.nextElementSibling?.lastElementChild ?? $("labels")).focus();
      chip.remove();
      applyChoice();
    };
    chip.append(text, remove);
    $("chips").append(chip);
  }
}

// Takes the words over that are in the field.
function takeWords() {
  addWords(split($("labels").value));
  $("labels").value = "";
  $("own-words").checked = true;
  applyChoice();
}

// A closed vocabulary: presets without the words that it lacks.
function offerOnly(known) {
  for (const preset of $("presets").querySelectorAll("button")) {
    const words = split(preset.dataset.words).filter((word) => known.has(word));
    preset.dataset.words = words.join(", ");
    preset.hidden = words.length < 2;
  }
}

function writeAddress() {
  const address = new URL(location.href);
  for (const name of ["labels", "template", "vocabulary"]) address.searchParams.delete(name);
  for (const [name, value] of new URLSearchParams(wanted())) address.searchParams.set(name, value);
  history.replaceState(history.state, "", address);
}

// A few photos that are shown are looked at again at once; many only when that is asked for.
function applyChoice() {
  writeAddress();
  announce(
    { labels: "I choose from the words I know best", everyday: "I choose from everyday things" }[chosen()] ??
      "I choose from your words",
  );
  if (current().length < MANY) lookAgain();
  else offerToLookAgain();
}

// The photos that are shown and were asked something else.
const outdated = () => current().filter((card) => !card.open && card.query !== wanted());

function offerToLookAgain() {
  $("again").hidden = !outdated().length;
}

function lookAgain() {
  for (const card of outdated()) card.queued();
  $("again").hidden = true;
  work();
}

$("again").firstElementChild.onclick = lookAgain;

for (const choice of $("choice").querySelectorAll("[name=vocabulary]")) {
  choice.onchange = () => (choice.value || ownWords().length ? applyChoice() : $("labels").focus());
}
for (const preset of $("presets").querySelectorAll("button")) {
  preset.onclick = () => {
    $("chips").replaceChildren();
    addWords(split(preset.dataset.words));
    applyChoice();
  };
}
$("labels").oninput = () => ($("own-words").checked = true);
$("add-words").onclick = $("labels").onchange = takeWords;
$("template").onchange = applyChoice;
$("labels").onkeydown = (event) => {
  if (!["Enter", ","].includes(event.key) || event.isComposing) return;
  event.preventDefault();
  takeWords();
};

// The words that the address asks for stand in the field, as it is without JavaScript.
function readAddress() {
  addWords(split($("labels").value));
  $("labels").value = "";
}
