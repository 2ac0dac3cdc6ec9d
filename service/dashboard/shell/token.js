// Asks for the token of a server that needs one.

import { authorization, forgetToken, keepToken, storedToken } from "../api/token_store.js";
import { el, setText } from "../parts/dom.js";

const SENDABLE = /^[!-~]+$/;

/** Asks for the token in a dialog when the server has refused a call without the right one. */
export class TokenDialog {
  #input = el("input", { type: "password", autocomplete: "off", spellcheck: "false", "aria-label": "Token", required: true });
  #problem = el("p", { class: "callout", "data-tone": "bad", role: "alert", hidden: true });
  #forget = el("button", { type: "button", class: "button forget", hidden: true }, "Forget the token");
  #root = this.#make();

  /** `nav` is where the button stands that forgets a stored token. */
  constructor(nav) {
    nav.append(this.#forget);
    this.#forget.hidden = !storedToken();
    this.#forget.addEventListener("click", () => {
      forgetToken();
      location.reload();
    });
  }

  /** Shows the dialog, unless it is shown already. */
  ask() {
    if (this.#root.open) return;
    if (storedToken()) this.#tell("The stored token is not the one of this server.");
    document.body.append(this.#root);
    this.#root.showModal();
  }

  #make() {
    const form = el(
      "form",
      {},
      el("h2", { id: "token-title" }, "This server needs a token"),
      el("p", {}, "It is what TRAINYARD_TOKEN is set to on the server. This browser keeps it until it is forgotten."),
      this.#input,
      this.#problem,
      el("div", { class: "actions" }, el("button", { type: "submit", class: "button" }, "Continue")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#check(this.#input.value.trim());
    });
    const dialog = el("dialog", { "aria-labelledby": "token-title" }, form);
    // Without a token there is nothing to go back to.
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    return dialog;
  }

  async #check(token) {
    if (!SENDABLE.test(token)) {
      this.#tell("A token has only visible ASCII characters, and no blanks.");
      return;
    }
    try {
      const { status } = await fetch("version", { headers: authorization(token), cache: "no-store" });
      if (status === 401) this.#tell("This is not the token of the server.");
      else this.#keep(token);
    } catch {
      this.#tell("The server does not answer; try again.");
    }
  }

  #keep(token) {
    try {
      keepToken(token);
    } catch {
      this.#tell("This browser stores nothing for this page: allow it to, so that the token is kept.");
      return;
    }
    location.reload();
  }

  #tell(text) {
    setText(this.#problem, text);
    this.#problem.hidden = false;
  }
}
