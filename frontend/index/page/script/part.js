// Asking about a part of a photo: a rectangle over it, drawn with a pointer or moved with the keyboard, or the
// surroundings of a place that was tapped.

import { jpeg, LONG_SIDE } from "./smaller.js";
import { say } from "./texts.js";
import { $, announce, clamp } from "./words.js";

const LEAST_PART = 0.04; // of a side; a smaller rectangle is a tap
const AROUND = 0.45; // of the shorter side: what is looked at around a tap
const STEP = 0.04;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @type {PartSheet | null} */
let sheet = null;

// The sheet that lies over a photo, if one does.
export const openSheet = () => sheet;

// The square around a place, in fractions of the sides of a photo.
function around([x, y], [width, height]) {
  const side = AROUND * Math.min(width, height);
  const [across, down] = [side / width, side / height];
  return { x: clamp(x - across / 2, 0, 1 - across), y: clamp(y - down / 2, 0, 1 - down), width: across, height: down };
}

// What lies over a photo while its part is chosen. `part` is in fractions of the photo's sides.
export class PartSheet {
  width;
  height;

  // `ask` takes the part as a file.
  constructor(card, ask) {
    sheet?.close();
    sheet = this;
    card.hideHeat();
    this.card = card;
    this.onAsk = ask;
    this.element = $("sheet").content.firstElementChild.cloneNode(true);
    // It lies on the picture as the picture lies in its frame: the same shape, fitted in the same way.
    [this.width, this.height] = [card.picture.naturalWidth, card.picture.naturalHeight];
    this.element.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.draw({ x: 0.25, y: 0.25, width: 0.5, height: 0.5 });
    this.element.onpointerdown = (event) => this.drag(event);
    this.element.onkeydown = (event) => this.press(event);
    card.$(".whole").onclick = () => this.close(true);
    card.$(".part").onclick = () => this.ask();
    card.$(".part").textContent = say("part-this");
    card.element.setAttribute("data-parting", "");
    card.$(".frame").append(this.element);
    this.element.focus({ preventScroll: true });
    card.$(".legend").textContent = say("draw");
    announce(say("draw"));
  }

  draw(part) {
    this.part = part;
    const [shade, box] = this.element.children;
    const [x, width] = [part.x * this.width, part.width * this.width];
    const [y, height] = [part.y * this.height, part.height * this.height];
    for (const [name, value] of Object.entries({ x, y, width, height })) box.setAttribute(name, value);
    shade.setAttribute("d", `M0 0H${this.width}V${this.height}H0ZM${x} ${y}v${height}h${width}v${-height}Z`);
  }

  // Where a pointer is, in fractions of the photo's sides.
  at({ clientX, clientY }) {
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(this.element.getScreenCTM().inverse());
    return [clamp(x / this.width, 0, 1), clamp(y / this.height, 0, 1)];
  }

  // A rectangle is asked about when it is let go of, and a tap about what is around it.
  drag(down) {
    const [left, top] = this.at(down);
    this.element.setPointerCapture(down.pointerId);
    let drawn = around([left, top], [this.width, this.height]);
    this.element.onpointermove = (move) => {
      const [right, bottom] = this.at(move);
      const [width, height] = [Math.abs(right - left), Math.abs(bottom - top)];
      if (Math.min(width, height) < LEAST_PART) return;
      drawn = { x: Math.min(left, right), y: Math.min(top, bottom), width, height };
      this.draw(drawn);
    };
    this.element.onpointercancel = () => (this.element.onpointermove = null);
    this.element.onpointerup = () => {
      this.draw(drawn);
      this.ask();
    };
  }

  press(event) {
    if (event.key === "Enter" || event.key === "Escape") {
      event.preventDefault(); // the key is for the sheet, not for the button that gets the keyboard after it
      if (event.key === "Enter") this.ask();
      else this.close(true);
    }
    if (!(event.key in ARROWS)) return;
    event.preventDefault();
    const [across, down] = ARROWS[event.key].map((direction) => direction * STEP);
    const { x, y, width, height } = this.part;
    this.draw(
      event.shiftKey
        ? { x, y, width: clamp(width + across, LEAST_PART, 1 - x), height: clamp(height + down, LEAST_PART, 1 - y) }
        : { x: clamp(x + across, 0, 1 - width), y: clamp(y + down, 0, 1 - height), width, height },
    );
  }

  close(focus = false) {
    const button = this.card.$(".part");
    sheet = null;
    this.element.remove();
    this.card.element.removeAttribute("data-parting");
    this.card.$(".legend").textContent = "";
    button.textContent = say("part");
    button.onclick = () => new PartSheet(this.card, this.onAsk);
    if (focus) button.focus();
  }

  async ask() {
    this.close();
    this.onAsk(await cutOut(this.card, this.part));
  }
}

// The surroundings of where a photo was clicked, as a file.
export function tapped(card, { clientX, clientY }) {
  const { left, top, width, height } = card.picture.getBoundingClientRect();
  const { naturalWidth, naturalHeight } = card.picture;
  const scale = Math.min(width / naturalWidth, height / naturalHeight); // as it is fitted into its frame
  const x = (clientX - left - width / 2) / (naturalWidth * scale) + 0.5;
  const y = (clientY - top - height / 2) / (naturalHeight * scale) + 0.5;
  if (Math.min(x, y) < 0 || Math.max(x, y) > 1) return null; // beside the picture
  return cutOut(card, around([x, y], [naturalWidth, naturalHeight]));
}

// The part, in fractions of the photo's sides, as a file: of the original where the browser can open it.
export async function cutOut(card, part) {
  const whole = await createImageBitmap(card.file, { imageOrientation: "from-image" }).catch(() =>
    createImageBitmap(card.picture),
  );
  const [x, y] = [part.x * whole.width, part.y * whole.height];
  const [width, height] = [Math.max(1, part.width * whole.width), Math.max(1, part.height * whole.height)];
  const bitmap = await createImageBitmap(whole, x, y, width, height);
  whole.close();
  const scale = Math.min(1, LONG_SIDE / Math.max(width, height));
  const blob = await jpeg(bitmap, width * scale, height * scale);
  bitmap.close();
  return new File([blob], say("part-of", { name: card.name.replace(/\.\w+$/, "") }), { type: "image/jpeg" });
}
