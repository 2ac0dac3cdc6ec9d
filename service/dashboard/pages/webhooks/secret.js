// The secret of a webhook, which nobody can read again, and what gives it a new one.

import { useState } from "../../vendor/preact.js";
import { send } from "../../api/client.js";
import { Dialog } from "../../parts/dialog.js";
import { html } from "../../parts/html.js";
import { Choice } from "./choice.js";

const OVERLAPS = [
  ["86400", "for a day"],
  ["3600", "for an hour"],
  ["604800", "for a week"],
  ["0", "no longer"],
];

/** @param {{ title: string, secret: string, onClose: () => void }} props */
export function Secret({ title, secret, onClose }) {
  const copy = () => navigator.clipboard.writeText(secret);
  return html`
    <${Dialog} key="secret" title=${title} confirm="Copy" keep="Done" isDangerous=${false} onConfirm=${copy} onClose=${onClose}>
      <p>It signs each message. Keep it now: it is shown this once.</p>
      <p><code class="secret">${secret}</code></p>
    <//>
  `;
}

export function NewSecret({ path, title, onClose }) {
  const [overlap, setOverlap] = useState("86400");
  const [secret, setSecret] = useState(null);
  if (secret) return html`<${Secret} title="Its new secret" secret=${secret} onClose=${onClose} />`;
  const confirm = async () => {
    setSecret((await send("POST", `${path}/rotate-secret`, { overlap_seconds: Number(overlap) })).secret);
  };
  return html`
    <${Dialog} title=${`A new secret for ${title}?`} confirm="Make it" keep="Keep the old one" onConfirm=${confirm} onClose=${onClose}>
      <${Choice} label="The old one signs, too," options=${OVERLAPS} value=${overlap} onChange=${({ target }) => setOverlap(target.value)} />
      <p class="quiet">Until then a receiver may verify messages with either.</p>
    <//>
  `;
}
