// Asking about a part of a photo: a rectangle over it, drawn with a pointer or moved with the keyboard.

const SVG = "http://www.w3.org/2000/svg";
const LEAST_PART = 0.04; // of a side; a smaller rectangle is a slip of the hand
const STEP = 0.04;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function choosePart(card) {
  card.$(".frame svg")?.remove();
  const { naturalWidth: width, naturalHeight: height } = card.picture;
  // It lies on the picture as the picture lies in its frame: the same shape, fitted in the same way.
  const sheet = document.createElementNS(SVG, "svg");
  const [shade, box] = ["path", "rect"].map((name) => sheet.appendChild(document.createElementNS(SVG, name)));
  sheet.setAttribute("viewBox", `0 0 ${width} ${height}`);
  sheet.setAttribute("class", "part-sheet");
  sheet.setAttribute("tabindex", "0");
  sheet.setAttribute("role", "application");
  sheet.setAttribute("aria-label", "Part of the photo: arrow keys move it, with Shift they change its size, Enter asks");
  let part = { x: width / 4, y: height / 4, width: width / 2, height: height / 2 };

  const draw = (wanted) => {
    part = wanted;
    for (const [name, value] of Object.entries(part)) box.setAttribute(name, value);
    const { x, y, width: w, height: h } = part;
    shade.setAttribute("d", `M0 0H${width}V${height}H0ZM${x} ${y}v${h}h${w}v${-h}Z`);
  };
  const at = ({ clientX, clientY }) => {
    const point = new DOMPoint(clientX, clientY).matrixTransform(sheet.getScreenCTM().inverse());
    return [clamp(point.x, 0, width), clamp(point.y, 0, height)];
  };
  card.$(".whole").onclick = () => close();
  sheet.onpointerdown = (down) => {
    const [x, y] = at(down);
    const before = part;
    sheet.setPointerCapture(down.pointerId);
    sheet.onpointermove = (move) => {
      const [right, bottom] = at(move);
      const drawn = { x: Math.min(x, right), y: Math.min(y, bottom), width: Math.abs(right - x), height: Math.abs(bottom - y) };
      draw(drawn.width < LEAST_PART * width || drawn.height < LEAST_PART * height ? before : drawn);
    };
    sheet.onpointerup = () => (sheet.onpointermove = null);
  };
  sheet.onkeydown = (event) => {
    if (event.key === "Enter") ask();
    if (event.key === "Escape") close();
    if (!(event.key in ARROWS)) return;
    event.preventDefault();
    const [across, down] = [ARROWS[event.key][0] * STEP * width, ARROWS[event.key][1] * STEP * height];
    const next = { ...part };
    if (event.shiftKey) {
      next.width = clamp(part.width + across, LEAST_PART * width, width - part.x);
      next.height = clamp(part.height + down, LEAST_PART * height, height - part.y);
    } else {
      next.x = clamp(part.x + across, 0, width - part.width);
      next.y = clamp(part.y + down, 0, height - part.height);
    }
    draw(next);
  };
  const close = () => {
    sheet.remove();
    card.element.removeAttribute("data-parting");
    card.$(".part").textContent = "Ask about a part";
    card.$(".part").onclick = () => choosePart(card);
    card.$(".part").focus();
  };
  const ask = async () => {
    close();
    add([await cutOut(card, { x: part.x / width, y: part.y / height, width: part.width / width, height: part.height / height })]);
  };

  draw(part);
  card.$(".frame").append(sheet);
  card.element.setAttribute("data-parting", "");
  card.$(".part").textContent = "Ask about this part";
  card.$(".part").onclick = ask;
  sheet.focus({ preventScroll: true });
  announce("Draw a rectangle on the photo");
}

// The part, in fractions of the photo's sides, as a file: of the original where the browser can open it.
async function cutOut(card, part) {
  const options = { imageOrientation: "from-image" };
  const whole = await createImageBitmap(card.file, options).catch(() => createImageBitmap(card.picture));
  const [x, y] = [part.x * whole.width, part.y * whole.height];
  const [width, height] = [Math.max(1, part.width * whole.width), Math.max(1, part.height * whole.height)];
  const bitmap = await createImageBitmap(whole, x, y, width, height);
  whole.close();
  const scale = Math.min(1, LONG_SIDE / Math.max(width, height));
  const blob = await jpeg(bitmap, width * scale, height * scale);
  bitmap.close();
  return new File([blob], `${card.name.replace(/\.\w+$/, "")} (part).jpg`, { type: "image/jpeg" });
}
