// Which photos there are, which of them is on its way, and which of the two views is seen.

const cards = []; // in the order they came, earlier ones included
let working = null; // the card on its way; one at a time is fair to others and fast enough
let stop = null;

const current = () => cards.filter((card) => card.element.parentElement === $("current"));

function add(files) {
  if (!files.length) return;
  if (!current().some((card) => card.open)) shelve();
  const added = files.map((file) => new Card(file));
  for (const card of added) {
    cards.push(card);
    $("current").append(card.element);
    listen(card);
  }
  showOutcome(added[0]);
  announce(files.length === 1 ? `Looking at ${added[0].name}` : `${files.length} photos in the queue`);
  work();
}

function listen(card) {
  card.$(".cancel").onclick = () => {
    if (card === working) stop.abort();
    else card.canceled();
    count();
  };
  card.$(".retry").onclick = () => again(card);
  card.$(".next").onclick = () => $("another").click();
  card.$(".show").onclick = () => {
    shelve();
    $("current").append(card.element);
    showOutcome(card);
  };
  for (const button of card.element.querySelectorAll(".copy")) {
    const text = button.textContent;
    button.onclick = async () => {
      button.textContent = await copy(card.$(`.${button.dataset.copies}`));
      setTimeout(() => (button.textContent = text), 1500);
    };
  }
}

function again(card) {
  card.queued();
  work();
}

async function work() {
  count();
  if (working) return;
  while ((working = cards.find((card) => card.state === "waiting"))) {
    stop = new AbortController();
    await recognize(working, stop.signal);
    count();
  }
}

async function recognize(card, signal) {
  const query = wanted();
  try {
    card.working("preparing");
    if (!card.blob) {
      card.blob = await shrink(card.file);
      if (card.blob !== card.file) card.preview(card.blob);
    }
    if (card.blob.size > largest()) throw new Trouble("body_too_large", 413);
    signal.throwIfAborted();
    card.working("sending", 0);
    const reply = await send(card.blob, query, signal, (share) =>
      share < 1 ? card.working("sending", share) : card.working("looking"),
    );
    card.done(reply, query);
    introduce();
  } catch (error) {
    if (error.name === "AbortError") card.canceled();
    else card.failed(error instanceof Trouble ? error : new Trouble("internal"));
  }
}

function count() {
  const all = current();
  const open = all.filter((card) => card.open).length;
  $("count").textContent = all.length > 1 ? `${all.length - open} of ${all.length} photos done` : "";
  $("current").classList.toggle("many", all.length > 1);
}

function shelve() {
  for (const card of current()) $("past").prepend(card.element);
  $("earlier").hidden = !$("past").children.length;
}

function showOutcome(card) {
  if (!$("start").hidden) history.pushState({ outcome: true }, "");
  $("start").hidden = true;
  $("outcome").hidden = $("another").hidden = false;
  $("earlier").hidden = !$("past").children.length;
  count();
  card.$(".best").focus({ preventScroll: true });
  if (card === current()[0]) scrollTo({ top: 0 });
}

// What is still on its way goes on, among the earlier ones.
function showStart() {
  shelve();
  $("start").hidden = false;
  $("outcome").hidden = $("another").hidden = true;
  $("photo").focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

// "Another photo" and the browser's own way back are the same way.
$("another").onclick = () => (history.state?.outcome ? history.back() : showStart());
window.onpopstate = () => showStart();

$("clear").onclick = () => {
  for (const card of cards.filter((card) => card.element.parentElement === $("past"))) {
    if (card === working) stop.abort();
    card.remove();
    cards.splice(cards.indexOf(card), 1);
  }
  $("earlier").hidden = true;
  announce("Cleared");
  ($("start").hidden ? $("another") : $("photo")).focus();
};

window.ononline = () => {
  for (const card of cards.filter((card) => card.state === "failed" && card.code === "offline")) again(card);
};
