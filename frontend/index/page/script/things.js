// The things that the visitor has taught, as this browser keeps them. Nothing of them is kept anywhere else. A thing is
// {id, name, model, weights, examples: [{embedding, thumb}]}: `weights` names the weights of the model that has made the
// embeddings, and `thumb` is a small picture, or null.

import { openDatabase } from "./database.js";

export const MOST_THINGS = 1000;
export const MOST_EXAMPLES = 50; // of one thing
export const LONGEST_NAME = 200; // characters

const NAME_ON_DISK = "things";
const VERSION_ON_DISK = 1;
// What a file of examples may not have in a name: what cannot be shown, but for the joiners of emoji and of words in
// Persian and Hindi.
const NOT_SHOWN = /(?!\u200C|\u200D| )[\p{C}\p{Z}]/u;

/** @type {any[]} In the order in which they were taught. */
let allThings = [];
let keeps = true; // whether the browser keeps them, as far as is known
let lesson = 0; // grows with every change
let tellTaught = () => {};

/** @type {Promise<IDBDatabase> | null} */
let connection = null;

function thingsOnDisk() {
  connection ??= openDatabase(NAME_ON_DISK, VERSION_ON_DISK, (made) =>
    made.createObjectStore("things", { keyPath: "id" }),
  );
  return connection;
}

async function onDisk(mode, act) {
  const transaction = (await thingsOnDisk()).transaction("things", mode);
  const request = act(transaction.objectStore("things"));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
  });
}

// Does something on the disk. What does not work there stays in this window.
async function keep(act) {
  lesson += 1;
  if (keeps) {
    try {
      await onDisk("readwrite", act);
    } catch {
      keeps = false;
    }
  }
  tellTaught();
}

// Calls `tell` when something is new about them.
export function whenTaught(tell) {
  tellTaught = tell;
}

export const taught = () => allThings;
export const areKept = () => keeps;
export const lessons = () => lesson;

// Those that a model with these weights has learned.
export const learnedWith = (weights) => allThings.filter((thing) => weights && thing.weights === weights);

// Reads what is kept: at the beginning, and when the window is seen again, as another one may have taught something.
export async function recall() {
  if (!keeps) return;
  try {
    const found = await onDisk("readonly", (store) => store.getAll());
    const sign = (list) => JSON.stringify(list.map(({ id, name, examples }) => [id, name, examples.length]));
    if (sign(found) === sign(allThings)) return;
    allThings = found;
    lesson += 1;
  } catch {
    keeps = false;
  }
  tellTaught();
}

export const isName = (name) => name !== "" && [...name].length <= LONGEST_NAME && !NOT_SHOWN.test(name);
export const thingName = (text) => text.normalize("NFC").trim().replace(/\s+/g, " ");

const caseless = (name) => name.toUpperCase().toLowerCase(); // ß and ss are the same, as in a file

// The thing of this model that is called so, in upper or lower case.
export const called = (name, weights) => learnedWith(weights).find((thing) => caseless(thing.name) === caseless(name));

// Adds examples to a thing, which is made where there is none of that name.
export async function teach(name, { model, weights }, examples) {
  let thing = called(name, weights);
  if (thing) thing.examples.push(...examples);
  else {
    const id = Date.now() + Math.random(); // another window's things have others
    thing = { id, name, model, weights, examples };
    allThings.push(thing);
  }
  await keep((store) => store.put(thing));
}

export async function forget(thing) {
  allThings = allThings.filter((one) => one !== thing);
  await keep((store) => store.delete(thing.id));
}

export async function forgetExample(thing, example) {
  thing.examples = thing.examples.filter((one) => one !== example);
  if (!thing.examples.length) await forget(thing);
  else await keep((store) => store.put(thing));
}

export async function forgetAll() {
  allThings = [];
  await keep((store) => store.clear());
}
