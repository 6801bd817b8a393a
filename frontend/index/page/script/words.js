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

const percent = (score) => {
  if (score > 0 && score < 0.001) return "< 0.1%";
  if (score < 1 && score > 0.999) return "> 99.9%";
  return `${(score * 100).toFixed(1)}%`;
};

const seconds = (milliseconds) =>
  milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;

const size = (bytes) => {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 999_500) return `${Math.round(bytes / 1000)} KB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
};

// How sure a score lets one sound.
const opinion = (score) => {
  if (score >= 0.9) return "I am quite sure";
  if (score >= 0.5) return "This looks like";
  return "My best guess";
};

// One argument of a POSIX shell command, whatever is in it.
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const curlLine = (name, query) =>
  `curl --data-binary ${quoted(`@./${name}`)} ${quoted(new URL(query || location.pathname, document.baseURI).href)}`;
