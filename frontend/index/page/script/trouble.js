// What goes wrong with a photo, with the code of its error.

// `detail` is what a server says of it; `retryAfter` its Retry-After in seconds, 0 for none; `unknown` the words that
// the recognizer does not know, as it names them.
export class Trouble extends Error {
  constructor(code, status = 0, detail = "", retryAfter = 0, unknown = []) {
    super(code);
    Object.assign(this, { code, status, detail, retryAfter, unknown });
  }
}
