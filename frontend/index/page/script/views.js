// Which of the two views is seen: the start, or a batch of photos with what they show. Each batch has its place in the
// browser's history.

const MANY = 4; // photos from which each has a row
const CHUNK = 20; // cards made without a pause

const batches = []; // of cards; a place in the history has the number of its batch

const within = (list) => cards.filter((card) => card.element.parentElement === list);
const current = () => within($("current"));
const rest = () => new Promise((resolve) => setTimeout(resolve));

async function add(files) {
  if (!files.length) return;
  const joins = current().some((card) => card.open);
  if (!joins) {
    shelve();
    batches.push([]);
  }
  const batch = batches.at(-1);
  const few = current().length + files.length < MANY;
  for (let from = 0; from < files.length; from += CHUNK) {
    const added = files.slice(from, from + CHUNK).map((file) => new Card(file));
    for (const card of added) {
      if (few) card.preview(card.file); // of many, each is shown once it has been made small
      listen(card);
    }
    cards.push(...added);
    batch.push(...added);
    $("current").append(...added.map((card) => card.element));
    if (from === 0 && !joins) {
      history.pushState({ batch: batches.length - 1 }, "");
      showOutcome(added[0]);
    }
    work();
    if (!few) await rest();
  }
  announce(files.length === 1 ? `Looking at ${files[0].name}` : `${files.length} photos in the queue`);
}

function listen(card) {
  card.$(".cancel").onclick = () => cancel(card);
  card.$(".retry").onclick = () => retry(card);
  card.$(".next").onclick = () => $("another").click();
  card.$(".remove").onclick = () => remove([card]);
  card.$(".heat").onclick = () => toggleHeat(card);
  card.$(".part").onclick = () => new PartSheet(card);
  card.$(".show").onclick = () => {
    if (card.element.parentElement === $("current")) open(card, !card.element.hasAttribute("data-opened"));
    else showAgain([card]);
  };
  for (const button of card.element.querySelectorAll(".copy")) {
    const source = card.$(`.${button.dataset.copies}`);
    button.onclick = () => answered(button, () => copy(source.textContent, source));
  }
  offerShare(card);
}

// A row opens to the whole card.
function open(card, whether) {
  card.element.toggleAttribute("data-opened", whether);
  card.$(".show").textContent = whether ? "Less" : "Show";
  card.$(".show").setAttribute("aria-expanded", String(whether));
}

function showAgain(batch) {
  shelve();
  batches.push(batch);
  history.pushState({ batch: batches.length - 1 }, "");
  show(batch);
}

function show(batch) {
  $("current").append(...batch.map((card) => card.element));
  showOutcome(batch[0]);
}

function shelve() {
  for (const card of current()) {
    open(card, false);
    card.$(".show").removeAttribute("aria-expanded");
    $("past").prepend(card.element);
  }
  $("current").dataset.filter = "";
}

function showOutcome(card) {
  $("start").hidden = true;
  $("outcome").hidden = $("another").hidden = false;
  offerToLookAgain();
  progress();
  card.$(".best").focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

// What is still on its way goes on, among the earlier ones.
function showStart() {
  shelve();
  $("start").hidden = false;
  $("outcome").hidden = $("another").hidden = $("again").hidden = true;
  progress();
  $("photo").focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

// After each change of a card, of the view or of the filter.
function progress() {
  const all = current();
  $("earlier").hidden = !$("past").children.length;
  $("current").classList.toggle("several", all.length > 1 && all.length < MANY);
  $("current").classList.toggle("rows", all.length >= MANY);
  summarize(all);
  const [card] = all;
  const said = all.length > 1 ? $("count").textContent : card && (card.open ? "Looking…" : card.short);
  document.title = said ? `${said} · ${TITLE}` : TITLE;
}

$("another").onclick = () => $("photo").click();

window.onpopstate = () => {
  writeAddress(); // the choice is the same in all places
  const batch = (batches[history.state?.batch] ?? []).filter((card) => cards.includes(card));
  if (!batch.length) return showStart();
  shelve();
  show(batch);
};
