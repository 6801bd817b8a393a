// In which language the page is, and in which it asks for labels, which there are more languages for.

export const LANGUAGE = document.documentElement.lang;
const SPOKEN = "en"; // by the recognizer, unless it is asked for another

let labels = document.documentElement.dataset.labels;

// The languages that the recognizer knows; an older one knows its own alone.
export function speaks(languages) {
  if (!languages.includes(labels)) labels = SPOKEN;
}

// The parameter that asks for labels in the language; none for that which is spoken.
export const lang = () => (labels === SPOKEN ? {} : { lang: labels });

// A query with these parameters, asking for labels in the language.
/** @param {Record<string, string>} parameters */
export const inLanguage = (parameters) => `?${new URLSearchParams({ ...parameters, ...lang() })}`;

// The other languages are links, which keep what the address says beside the language. It does not stay in the address
// where the browser remembers it, so that a link for others leaves them theirs.
export function offerLanguages() {
  const address = new URL(location.href);
  if (address.searchParams.get("lang") === LANGUAGE && navigator.cookieEnabled) {
    address.searchParams.delete("lang");
    history.replaceState(history.state, "", address);
  }
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = document.querySelectorAll("#languages a");
  for (const link of links) {
    link.onclick = () => {
      const other = new URL(location.href);
      other.searchParams.set("lang", link.lang);
      link.href = other.search;
    };
  }
}
