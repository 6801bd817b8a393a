// The thread that makes photos smaller, as this one sees it. Its script stands in the document: see worker.js.

import { $ } from "./words.js";

const answers = new Map(); // from the number of a photo to what takes its answer
let thread = null;
let asked = 0;

function started() {
  const url = URL.createObjectURL(new Blob([$("worker").textContent], { type: "text/javascript" }));
  // The document's policy wants to know where the address of a script comes from; not all browsers have such policies.
  const { trustedTypes } = /** @type {any} */ (window);
  const policy = trustedTypes?.createPolicy("worker", { createScriptURL: (own) => own });
  const worker = new Worker(policy ? policy.createScriptURL(url) : url);
  worker.onmessage = ({ data: { id, ...answer } }) => take(id, answer);
  // A browser without such threads: what cannot be made smaller goes up as it is.
  worker.onerror = () => {
    for (const id of [...answers.keys()]) take(id, { blob: null, thumb: null, opens: false });
  };
  return worker;
}

function take(id, answer) {
  answers.get(id)?.(answer);
  answers.delete(id);
}

// The photo as {blob, thumb, opens}: see smaller.js.
export function askedSmaller(file) {
  thread ??= started();
  asked += 1;
  const id = asked;
  return new Promise((resolve) => {
    answers.set(id, resolve);
    thread.postMessage({ id, file });
  });
}
