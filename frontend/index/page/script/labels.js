// The model introduces itself: whether it is awake, what it knows, and whether it takes words of the visitor's own.

let model = null;

const largest = () => model?.limits?.max_image_bytes ?? Infinity;

// The query that makes the recognizer choose between the visitor's words, or "".
function ownWords() {
  const words = $("labels").value.split(",").map((word) => word.trim()).filter(Boolean);
  return words.length && model?.vocabulary !== "closed" ? `?${new URLSearchParams({ labels: words.join(",") })}` : "";
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
  const open = model.vocabulary === "open";
  $("model").textContent = "The recognizer is awake";
  $("model").classList.add("awake");
  $("own").hidden = !open;
  $("words-title").textContent = open ? "Use your own words" : `The ${model.labels.length} words I know`;
  $("vocabulary").textContent = open
    ? "This model has an open vocabulary. Name a few things, and it chooses between those instead of its own words."
    : `This model (${model.model}) has a closed vocabulary: it was taught these ${model.labels.length} words and cannot ` +
      "choose between others. Whoever runs this page can give it a model with an open one.";
  $("known").textContent = (open ? "Its own: " : "") + model.labels.join(", ");
}

function applyWords() {
  const shown = current().filter((card) => !card.open);
  announce(ownWords() ? "Your words are in use" : "The model's own words are in use");
  for (const card of shown) again(card);
}

$("apply").onclick = applyWords;
$("labels").onkeydown = (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  applyWords();
};
