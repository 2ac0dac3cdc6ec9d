// What may be done with a webhook: test it, stop or start it, give it a new secret, delete it.

import { useState } from "../../vendor/preact.js";
import { send } from "../../api/client.js";
import { Dialog } from "../../parts/dialog.js";
import { html } from "../../parts/html.js";
import { announce } from "../../state/announcer.js";
import { changeQuery } from "../../state/route.js";
import { shownName } from "../../text/user_text.js";
import { NewSecret } from "./secret.js";

export function WebhookActions({ webhook, refresh }) {
  const [isDeleting, setDeleting] = useState(false);
  const [isRotating, setRotating] = useState(false);
  const [problem, setProblem] = useState(null);
  const path = `webhooks/${encodeURIComponent(webhook.id)}`;
  const title = webhook.name ? shownName(webhook.name) : webhook.id;
  const perform = (call, done) => async () => {
    setProblem(null);
    try {
      await call();
      announce(done);
      refresh();
    } catch (error) {
      setProblem(error.message);
    }
  };
  const test = perform(async () => {
    await send("POST", `${path}/test`);
    changeQuery({ open: webhook.id });
  }, "A test is sent");
  const turn = perform(() => send("PATCH", path, { enabled: !webhook.enabled }), webhook.enabled ? "Nothing more is sent" : "It is told what happens from now on");
  const remove = async () => {
    await send("DELETE", path);
    setDeleting(false);
    refresh();
  };
  return html`
    <span class="webhook-actions">
      <button type="button" class="button" disabled=${!webhook.enabled} onClick=${test}>Test</button>
      <button type="button" class="button" onClick=${turn}>${webhook.enabled ? "Disable" : "Enable"}</button>
      <button type="button" class="button" onClick=${() => setRotating(true)}>New secret</button>
      <button type="button" class="button" onClick=${() => setDeleting(true)}>Delete</button>
    </span>
    ${problem && html`<p class="callout" data-tone="bad" role="alert">${problem}</p>`}
    ${isRotating && html`<${NewSecret} path=${path} title=${title} onClose=${() => (setRotating(false), refresh())} />`}
    ${isDeleting && html`
      <${Dialog} title=${`Delete ${title}?`} confirm="Delete" keep="Keep it" onConfirm=${remove} onClose=${() => setDeleting(false)}>
        <p>What waits is not sent any more, and the list of its messages goes, too.</p>
      <//>
    `}
  `;
}
