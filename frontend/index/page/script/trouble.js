// What goes wrong with a photo, with the code of its error.

// `detail` is what a server says of it; `retryAfter` its Retry-After in seconds, 0 for none.
export class Trouble extends Error {
  constructor(code, status = 0, detail = "", retryAfter = 0) {
    super(code);
    Object.assign(this, { code, status, detail, retryAfter });
  }
}
