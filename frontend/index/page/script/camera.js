// The camera of a computer; telephones have a better one behind "Take one now".

import { add } from "./adding.js";
import { jpeg } from "./smaller.js";
import { say } from "./texts.js";
import { $, notice } from "./words.js";

const NO_CAMERA = { NotAllowedError: "camera-forbidden", NotFoundError: "camera-missing" };

async function openCamera() {
  const [dialog, video] = [$("viewfinder"), $("viewfinder").querySelector("video")];
  const [take, cancel] = dialog.querySelectorAll("button");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1920 } } });
  } catch (error) {
    notice(say(NO_CAMERA[error.name] ?? "camera-taken"));
    return;
  }
  dialog.onclose = () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  cancel.onclick = () => dialog.close();
  take.onclick = async () => {
    const bitmap = await createImageBitmap(video);
    dialog.close();
    add([new File([await jpeg(bitmap, bitmap.width, bitmap.height)], "camera.jpg", { type: "image/jpeg" })]);
  };
  video.srcObject = stream;
  dialog.showModal();
  take.disabled = true;
  await video.play();
  take.disabled = false;
  take.focus();
}

$("webcam").onclick = openCamera;
navigator.mediaDevices?.enumerateDevices().then((devices) => {
  $("webcam").hidden = !devices.some(({ kind }) => kind === "videoinput");
});
