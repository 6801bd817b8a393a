// How sure an answer is, in the language of the page.

const PERCENT = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });

// A probability in words: at most 99 %, as nothing is certain.
export const percent = (share) => PERCENT.format(Math.min(0.99, share));
