// What the script says to people: page/texts/en.json, which the document carries. See texts.py for its placeholders.

const TEXTS = JSON.parse(document.getElementById("texts").textContent);
const LANGUAGE = document.documentElement.lang;
const rules = new Intl.PluralRules(LANGUAGE);

const shown = (value) => (typeof value === "number" ? value.toLocaleString(LANGUAGE) : value);

const FORM = /([\w=]+) \{((?:[^{}]|\{\w+\})*)\}/g;
const PLURAL = new RegExp(`\\{(\\w+), plural, ((?:${FORM.source} ?)+)\\}`, "g");

function formOf(forms, count) {
  const all = new Map([...forms.matchAll(FORM)].map(([, name, text]) => [name, text]));
  return (all.get(`=${count}`) ?? all.get(rules.select(count)) ?? all.get("other")).replace("#", shown(count));
}

// A text with its placeholders filled in; numbers get the separators of the language.
export const say = (key, values = {}) =>
  TEXTS[key]
    .replace(PLURAL, (_, name, forms) => formOf(forms, values[name]))
    .replace(/\{(\w+)\}/g, (_, name) => shown(values[name]));
