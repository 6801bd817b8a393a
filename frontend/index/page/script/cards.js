// All photos that there are, and which of them are seen.

import { $ } from "./words.js";

export const MANY = 4; // photos from which each has a row

export const cards = []; // in the order they came, earlier ones included

export const within = (list) => cards.filter((card) => card.element.parentElement === list);
export const current = () => within($("current"));
