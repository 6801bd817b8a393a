// How fast photos are answered, and how long the rest takes at that pace.

const REMEMBERED = 60; // answers
const ENOUGH = 5; // answers before anything is said
const LONGEST_GAP = 10_000; // milliseconds; a longer one was a pause, which says nothing of the pace

let times = []; // of the last answers, on the clock of performance.now()

export function countAnswer() {
  times = [...times, performance.now()].slice(-REMEMBERED);
}

export function forgetPace() {
  times = [];
}

// Seconds that so many photos take; undefined while that is not known. By their number: all that is sent is about as large.
export function secondsFor(count) {
  const gaps = times
    .slice(1)
    .map((time, place) => time - times[place])
    .filter((gap) => gap < LONGEST_GAP);
  if (gaps.length < ENOUGH) return undefined;
  return (count * gaps.reduce((sum, gap) => sum + gap, 0)) / gaps.length / 1000;
}
