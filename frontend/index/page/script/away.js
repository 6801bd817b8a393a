// Whether the recognizer is away, and how long to wait before it is asked again.

// What a gateway, a watchdog or the network says while a service restarts or has too much to do.
const AWAY = [429, 502, 503, 504];
const FIRST_PAUSE = 1; // seconds; each further one is twice as long
const LONGEST_PAUSE = 30;
const ENOUGH_TRIES = 5; // of a photo that may itself be what stops the recognizer

// A failure that is not the photo's: no connection, or a status of those above. A 500 without a code is a gateway's.
export const isAway = ({ code, status }) =>
  ["no_connection", "offline"].includes(code) || AWAY.includes(status) || (status === 500 && !code);

// Whether the photo itself may be the reason, so that it is not tried forever.
export const maybeItself = ({ code, status, retryAfter }) =>
  isAway({ code, status }) && [500, 502, 504].includes(status) && !retryAfter;

export const triedEnough = (tries) => tries >= ENOUGH_TRIES;

// Seconds until the next try after so many failures, one at least. They vary at random, so that windows which were refused
// together do not come back together; a Retry-After is never undercut.
export function pauseAfter(failures, retryAfter) {
  const wait = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1));
  return Math.max(retryAfter * (1 + Math.random() / 4), wait * (0.5 + Math.random()));
}
