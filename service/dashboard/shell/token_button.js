// The button that forgets a stored token, and the dialog that asks for one.

import { useEffect, useRef } from "../vendor/preact.js";
import { access } from "../api/client.js";
import { html } from "../parts/html.js";
import { TokenDialog } from "./token.js";

export function TokenButton() {
  const place = useRef(null);
  useEffect(() => {
    const dialog = new TokenDialog(place.current);
    const ask = () => dialog.ask();
    access.addEventListener("refused", ask);
    return () => access.removeEventListener("refused", ask);
  }, []);
  return html`<span ref=${place}></span>`;
}
