// Handing the result to another application, where the system has a way for that.

import { notice, TITLE } from "./words.js";

export function offerShare(card) {
  const button = card.$(".share");
  button.hidden = !navigator.share;
  button.onclick = async () => {
    const result = { title: TITLE, text: `${card.name}: ${card.short}`, url: location.href };
    const photo = new File([card.blob], card.name, { type: card.blob.type || "image/jpeg" });
    const complete = { ...result, files: [photo] };
    try {
      await navigator.share(navigator.canShare?.(complete) ? complete : result);
    } catch (error) {
      if (error.name !== "AbortError") notice("That could not be shared.");
    }
  };
}
