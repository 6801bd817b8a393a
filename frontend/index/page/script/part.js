// Asking about a part of a photo: a rectangle over it, drawn with a pointer or moved with the keyboard.

import { jpeg, LONG_SIDE } from "./smaller.js";
import { $, announce, clamp } from "./words.js";

const LEAST_PART = 0.04; // of a side; a smaller rectangle is a slip of the hand
const STEP = 0.04;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// What lies over a photo while its part is chosen. `part` is in fractions of the photo's sides.
export class PartSheet {
  width;
  height;

  // `ask` takes the part as a file.
  constructor(card, ask) {
    this.card = card;
    this.onAsk = ask;
    this.sheet = $("sheet").content.firstElementChild.cloneNode(true);
    // It lies on the picture as the picture lies in its frame: the same shape, fitted in the same way.
    [this.width, this.height] = [card.picture.naturalWidth, card.picture.naturalHeight];
    this.sheet.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.draw({ x: 0.25, y: 0.25, width: 0.5, height: 0.5 });
    this.sheet.onpointerdown = (event) => this.drag(event);
    this.sheet.onkeydown = (event) => this.press(event);
    card.$(".whole").onclick = () => this.close();
    card.$(".part").onclick = () => this.ask();
    card.$(".part").textContent = "Ask about this part";
    card.element.setAttribute("data-parting", "");
    card.$(".frame").append(this.sheet);
    this.sheet.focus({ preventScroll: true });
    announce("Draw a rectangle on the photo");
  }

  draw(part) {
    this.part = part;
    const [shade, box] = this.sheet.children;
    const [x, width] = [part.x * this.width, part.width * this.width];
    const [y, height] = [part.y * this.height, part.height * this.height];
    for (const [name, value] of Object.entries({ x, y, width, height })) box.setAttribute(name, value);
    shade.setAttribute("d", `M0 0H${this.width}V${this.height}H0ZM${x} ${y}v${height}h${width}v${-height}Z`);
  }

  // Where a pointer is, in fractions of the photo's sides.
  at({ clientX, clientY }) {
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(this.sheet.getScreenCTM().inverse());
    return [clamp(x / this.width, 0, 1), clamp(y / this.height, 0, 1)];
  }

  drag(down) {
    const before = this.part;
    const [left, top] = this.at(down);
    this.sheet.setPointerCapture(down.pointerId);
    this.sheet.onpointerup = () => (this.sheet.onpointermove = null);
    this.sheet.onpointermove = (move) => {
      const [right, bottom] = this.at(move);
      const [width, height] = [Math.abs(right - left), Math.abs(bottom - top)];
      const drawn = { x: Math.min(left, right), y: Math.min(top, bottom), width, height };
      this.draw(Math.min(width, height) < LEAST_PART ? before : drawn);
    };
  }

  press(event) {
    if (event.key === "Enter") this.ask();
    if (event.key === "Escape") this.close();
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

  close() {
    const button = this.card.$(".part");
    this.sheet.remove();
    this.card.element.removeAttribute("data-parting");
    button.textContent = "Ask about a part";
    button.onclick = () => new PartSheet(this.card, this.onAsk);
    button.focus();
  }

  async ask() {
    this.close();
    this.onAsk(await cutOut(this.card, this.part));
  }
}

// The part, in fractions of the photo's sides, as a file: of the original where the browser can open it.
async function cutOut(card, part) {
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
  return new File([blob], `${card.name.replace(/\.\w+$/, "")} (part).jpg`, { type: "image/jpeg" });
}
