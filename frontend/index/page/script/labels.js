// The model introduces itself: whether it is awake, what it knows, and what of that the visitor wants to choose from.

let model = null;

const largest = () => model?.limits?.max_image_bytes ?? Infinity;

// The query that makes the recognizer choose between what the visitor wants, or "".
function wanted() {
  const vocabulary = $("choice").querySelector(":checked").value;
  if (vocabulary === "everyday") return "?vocabulary=everyday";
  const words = $("labels").value.split(",").map((word) => word.trim()).filter(Boolean);
  return vocabulary === "" && words.length ? `?${new URLSearchParams({ labels: words.join(",") })}` : "";
}

async function introduce() {
  if (model) return;
  $("model").hidden = false;
  $("model").textContent = "Waking the recognizer…";
  try {
    model = await describe();
  } catch {
    $("model").textContent = "The recognizer is still asleep";
    return;
  }
  $("model").textContent = "The recognizer is awake";
  $("model").classList.add("awake");
  fillIn(model);
}

// The same as choice.html has when the recognizer was awake as the page was made.
function fillIn({ labels, groups = { "": labels }, everyday = [], vocabulary }) {
  const open = vocabulary === "open";
  $("labels-choice").textContent = `The ${number(labels.length)} words I know best`;
  $("everyday-choice").textContent = `${everyday.length.toLocaleString("en")} everyday things`;
  $("own-choice").textContent = open ? "Words of your own" : "Only some of these words";
  $("labels").placeholder = open ? "my cat, the neighbor’s cat, a dog" : "cat, dog, rabbit";
  $("everyday").textContent = everyday.join(", ");
  $("known").replaceChildren(
    ...Object.entries(groups).map(([name, members]) => {
      const [row, term, words] = ["div", "dt", "dd"].map((kind) => document.createElement(kind));
      term.textContent = name;
      words.textContent = members.join(", ");
      row.append(term, words);
      return row;
    }),
  );
  for (const part of [$("own"), $("best"), $("own-choice").closest("p")]) part.hidden = false;
  $("more").hidden = $("everyday-choice").closest("p").hidden = !everyday.length;
}

// The photos that are shown are looked at again, with what is wanted now.
function applyChoice() {
  announce({ labels: "I choose from the words I know best", everyday: "I choose from everyday things" }[
    $("choice").querySelector(":checked").value
  ] ?? "I choose from your words");
  for (const card of current().filter((card) => !card.open)) again(card);
}

for (const choice of $("choice").querySelectorAll("[name=vocabulary]")) {
  choice.onchange = () => (choice.value || $("labels").value.trim() ? applyChoice() : $("labels").focus());
}
$("labels").oninput = () => ($("own-words").checked = true);
$("apply").onclick = () => {
  $("own-words").checked = true;
  applyChoice();
};
$("labels").onkeydown = (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  $("apply").click();
};
