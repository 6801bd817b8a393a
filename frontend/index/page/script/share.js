// Handing the result to another application, where the system has a way for that.

import { say } from "./texts.js";
import { notice, TITLE } from "./words.js";

const ENDING_OF = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "image/gif": "gif",
  "image/avif": "avif",
};

// The name of what is sent, which may be of another kind than the file that it was made from.
function nameOf({ name, blob }) {
  const ending = ENDING_OF[blob.type];
  const fits = !ending || new RegExp(`\\.(${ending}|jpeg)$`, "i").test(name);
  return fits ? name : `${name.replace(/\.\w+$/, "")}.${ending}`;
}

export function offerShare(card) {
  const button = card.$(".share");
  button.hidden = !navigator.share;
  button.onclick = async () => {
    const result = { title: TITLE, text: say("named", { name: card.name, said: card.short }), url: location.href };
    const photo = new File([card.blob], nameOf(card), { type: card.blob.type || "image/jpeg" });
    const complete = { ...result, files: [photo] };
    try {
      await navigator.share(navigator.canShare?.(complete) ? complete : result);
    } catch (error) {
      if (error.name !== "AbortError") notice(say("not-shared"));
    }
  };
}
