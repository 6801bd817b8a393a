// One photo of a wall, large, with the ones before and after it.

import { listen } from "./adding.js";
import { Card } from "./card.js";
import { cards, view } from "./cards.js";
import { progress, showOutcome, showPhoto, showWall, whenOpened } from "./outcome.js";
import { cancel, retry, work } from "./queue.js";
import { say } from "./texts.js";
import { seenPhotos, unhang } from "./wall.js";
import { $, notice } from "./words.js";

whenOpened(async (photo) => {
  await photo.load().catch(() => {}); // of what cannot be loaded, all else is shown
  if (view.photo !== photo) return;
  const card = new Card(photo.file ?? new File([], photo.name));
  photo.show(card);
  listen(card);
  card.$(".cancel").onclick = () => cancel(photo);
  card.$(".retry").onclick = () => retry(photo);
  card.$(".remove").onclick = () => removeFromWall(photo);
  $("current").replaceChildren(card.element);
  $("wall").hidden = true;
  $("large").hidden = false;
  tellPlace(photo);
  showOutcome(card.$(".best"));
});

function tellPlace(photo) {
  const all = seenPhotos();
  const at = all.indexOf(photo);
  $("large-place").textContent = say("wall-place", { place: at + 1, count: all.length });
  for (const [id, other] of Object.entries({ previous: all[at - 1], next: at < 0 ? undefined : all[at + 1] })) {
    $(id).disabled = !other;
    $(id).onclick = () => turnTo(other);
  }
}

function turnTo(photo) {
  if (!photo) return;
  history.replaceState({ ...history.state, photo: photo.place }, "");
  showPhoto(photo);
}

// Takes a photo out of its batch, and offers to put it back.
async function removeFromWall(photo) {
  const { batch } = photo;
  const at = batch.photos.indexOf(photo);
  const all = seenPhotos();
  const other = all[all.indexOf(photo) + 1] ?? all[all.indexOf(photo) - 1];
  const wasOpen = photo.open;
  if (wasOpen) cancel(photo);
  const { blob } = photo;
  cards.splice(cards.indexOf(photo), 1);
  photo.hide();
  const gone = batch.drop(photo);
  unhang(photo);
  if (other) turnTo(other);
  else history.back();
  notice(say("removed", { name: photo.name }), async () => {
    await gone;
    photo.blob = blob;
    photo.kept = false;
    batch.photos.splice(at, 0, photo);
    cards.push(photo);
    if (wasOpen) photo.queued();
    await batch.keepPicture(photo);
    if (view.photo) tellPlace(view.photo);
    else if (view.batch === batch) showWall(batch);
    progress();
    work();
  });
}

$("back").onclick = () => history.back();

const OWN_KEYS = "input, select, textarea, pre, [role=application]"; // what has a use for arrow keys itself
const KEYS = { ArrowLeft: "previous", ArrowRight: "next" };

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (!view.photo || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
  if (document.querySelector("dialog[open]") || !(target instanceof Element)) return;
  const own = key === "Escape" ? "[role=application], input:not(:placeholder-shown, [type=radio])" : OWN_KEYS;
  if (target.closest(own)) return;
  if (key === "Escape") $("back").click();
  else if (key in KEYS) {
    event.preventDefault();
    $(KEYS[key]).click();
  }
});
