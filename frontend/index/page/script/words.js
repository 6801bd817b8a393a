// Everything the page says: sentences, numbers, and what a screen reader hears.

const ERRORS = JSON.parse(document.getElementById("errors").textContent);

const $ = (id) => document.getElementById(id);

function announce(text) {
  $("status").textContent = text;
}

// The words of an error: of its code, else of the first code with its status, else the general ones.
function errorFor(code, status) {
  const same = Object.keys(ERRORS).find((name) => ERRORS[name].status === status);
  const known = code in ERRORS ? code : (same ?? "internal");
  return { code: code || known, ...ERRORS[known], status };
}

// Nothing is ever quite sure.
const sure = (confidence) => `${Math.min(99, Math.round(confidence * 100))}%`;

const number = (count) => (count === 100 ? "hundred" : count.toLocaleString("en"));

const seconds = (milliseconds) =>
  milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;

const size = (bytes) => {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 999_500) return `${Math.round(bytes / 1000)} KB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
};

// How sure a confidence lets one sound.
const opinion = (confidence) => {
  if (confidence >= 0.9) return "I am sure: this is";
  if (confidence >= 0.7) return "This is likely";
  return "It may be";
};

// That nothing was recognized among what the query made the recognizer choose from.
const none = (query) => {
  if (query.includes("vocabulary=everyday")) return "None of the everyday things that I know.";
  return query ? "None of your words." : `None of the ${model ? number(model.labels.length) : ""} words I know best.`;
};

// One argument of a POSIX shell command, whatever is in it.
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const curlLine = (name, query) =>
  `curl --data-binary ${quoted(`@./${name}`)} ${quoted(new URL(query || location.pathname, document.baseURI).href)}`;
