// What the script says to people: the texts of its language, which the document carries. See
// texts.py for their placeholders.

import { LANGUAGE } from "./language.js";

const TEXTS = JSON.parse(document.getElementById("texts").textContent);
const rules = new Intl.PluralRules(LANGUAGE);

const FROM_RIGHT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/; // letters of scripts that run from right to left

// What runs the other way keeps its place in the sentence.
const isolated = (text) => (FROM_RIGHT.test(text) && !text.includes("\u2068") ? `\u2068${text}\u2069` : text);
const shown = (value) => (typeof value === "number" ? value.toLocaleString(LANGUAGE) : isolated(value));

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
