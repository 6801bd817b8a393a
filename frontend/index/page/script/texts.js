// What the script says to people: page/texts/en.json, which the document carries. See texts.py for its placeholders.

const TEXTS = JSON.parse(document.getElementById("texts").textContent);
const LANGUAGE = document.documentElement.lang;
const rules = new Intl.PluralRules(LANGUAGE);

const shown = (value) => (typeof value === "number" ? value.toLocaleString(LANGUAGE) : value);

// A text with its placeholders filled in; numbers get the separators of the language.
export function say(key, values = {}) {
  return TEXTS[key]
    .replace(/\{(\w+), plural, ((?:\w+ \{[^{}]*\} ?)+)\}/g, (_, name, forms) => {
      const { groups } =
        forms.match(new RegExp(`(?:^| )${rules.select(values[name])} \\{(?<text>[^{}]*)\\}`)) ??
        forms.match(/other \{(?<text>[^{}]*)\}/);
      return groups.text.replace("#", shown(values[name]));
    })
    .replace(/\{(\w+)\}/g, (_, name) => shown(values[name]));
}
