// Downloads from a server that needs a token, which a link alone cannot send.

import { authorization, storedToken } from "../api/token_store.js";
import { el, setText } from "../parts/dom.js";

/** Has the links with `download` below `root` send the token; without one they are plain links. */
export function sendTokenWithDownloads(root) {
  root.addEventListener("click", (event) => {
    const link = event.target.closest("a[download]");
    if (!link || !storedToken()) return;
    event.preventDefault();
    save(link).catch((error) => showProblem(link, error.message));
  });
}

async function save(link) {
  link.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(link.href, { headers: authorization() });
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    const address = URL.createObjectURL(await response.blob());
    el("a", { href: address, download: link.download }).click();
    // The browser reads it after the click.
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } finally {
    link.removeAttribute("aria-busy");
  }
}

function showProblem(link, message) {
  const note = link.parentElement.querySelector(".callout") ?? el("p", { class: "callout", "data-tone": "bad" });
  setText(note, `${link.download}: ${message}`);
  link.parentElement.append(note);
}
