// Shows the photos whose word or path has all parts of the text. Without scripts all photos are there.
// Macs write an umlaut in a name as two characters, and keyboards as one.
const folded = (text) => text.normalize("NFC").toLowerCase();
const field = document.querySelector("#filter");
const state = document.querySelector("#shown");
const sections = [...document.querySelectorAll("section")].map((section) => ({
  section,
  link: document.querySelector(`.words a[href="#${section.id}"]`),
  items: [...section.querySelectorAll("li")].map((item) => ({ item, text: folded(item.dataset.text) })),
}));
const all = sections.reduce((sum, { items }) => sum + items.length, 0);

function filter() {
  const parts = folded(field.value).split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { section, link, items } of sections) {
    let here = 0;
    for (const { item, text } of items) {
      item.hidden = !parts.every((part) => text.includes(part));
      here += item.hidden ? 0 : 1;
    }
    section.hidden = here === 0;
    if (link) link.parentElement.hidden = here === 0;
    shown += here;
  }
  state.textContent = parts.length ? `${shown.toLocaleString("en")} of ${all.toLocaleString("en")}` : "";
}

field.closest(".filter").hidden = false;
field.addEventListener("input", filter);
filter(); // a page that is loaded again may have a text already
