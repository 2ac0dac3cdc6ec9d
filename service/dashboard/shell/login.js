// The login: over an empty page at first, over the page as it was when a session has ended.

import { useEffect, useRef, useState } from "../vendor/preact.js";
import { isLoginNeeded } from "../api/login_gate.js";
import { hasLoggedIn, logIn } from "../api/session.js";
import { html } from "../parts/html.js";

export function Login() {
  return isLoginNeeded.value ? html`<${LoginDialog} isFirst=${!hasLoggedIn()} />` : null;
}

const FIRST = "An admin of this server makes tokens, by trainyard token create; TRAINYARD_TOKEN of the server is one, too.";
const AGAIN = "Your session has ended. The page goes on as it is when you have given a token again.";

function LoginDialog({ isFirst: isFirstNow }) {
  const [isFirst] = useState(isFirstNow);
  const dialog = useRef(null);
  const input = useRef(null);
  const [problem, setProblem] = useState(null);
  const [isSending, setSending] = useState(false);
  useEffect(() => {
    const shown = dialog.current;
    shown.showModal();
    // Closed, and not only taken away: the focus goes back to where it was.
    return () => shown.close();
  }, []);
  const send = async (event) => {
    event.preventDefault();
    setSending(true);
    setProblem(null);
    try {
      await logIn(input.current.value.trim());
    } catch (error) {
      setProblem(error.message.charAt(0).toUpperCase() + error.message.slice(1));
      setSending(false);
      input.current.select();
    }
  };
  return html`
    <dialog
      ref=${dialog}
      class=${isFirst ? "login first" : "login"}
      aria-labelledby="login-title"
      onCancel=${(event) => event.preventDefault()}
      onClose=${() => dialog.current?.showModal()}
    >
      <form onSubmit=${send}>
        <h2 id="login-title">${isFirst ? "Log in to Trainyard" : "Log in again"}</h2>
        <p id="login-help">${isFirst ? FIRST : AGAIN}</p>
        <label>
          Token
          <input ref=${input} type="password" autocomplete="current-password" spellcheck=${false} required aria-describedby="login-help" autofocus />
        </label>
        ${problem && html`<p class="callout" data-tone="bad" role="alert">${problem}</p>`}
        <div class="actions"><button type="submit" class="button" disabled=${isSending}>Log in</button></div>
      </form>
    </dialog>
  `;
}
