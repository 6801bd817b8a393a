// The entry of the thread that makes photos smaller. Takes {id, file}; gives {id, blob, thumb, opens}.

import { smaller } from "./smaller.js";

addEventListener("message", async ({ data: { id, file } }) => {
  try {
    postMessage({ id, ...(await smaller(file)), opens: true });
  } catch {
    postMessage({ id, blob: null, thumb: null, opens: false });
  }
});
