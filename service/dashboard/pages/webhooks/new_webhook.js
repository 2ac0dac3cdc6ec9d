// Makes a webhook, and shows its secret, which nobody can read again.

import { useState } from "../../vendor/preact.js";
import { send } from "../../api/client.js";
import { Dialog } from "../../parts/dialog.js";
import { html } from "../../parts/html.js";
import { Choice } from "./choice.js";
import { Secret } from "./secret.js";

const FORMATS = [
  ["standard", "a program (Standard Webhooks)"],
  ["slack", "a channel of Slack"],
  ["teams", "a channel of Teams"],
];
const CHOICES = [
  ["", "everything"],
  ["job.failed", "jobs that fail"],
  ["job.failed job.succeeded job.cancelled", "jobs that end"],
  ["checkpoint.published", "checkpoints"],
  ["worker.quarantined", "workers in quarantine"],
];

export function NewWebhook({ onClose }) {
  const [fields, setFields] = useState({ url: "", name: "", format: "standard", events: "" });
  const [secret, setSecret] = useState(null);
  const change = (name) => ({ target }) => setFields({ ...fields, [name]: target.value });
  if (secret) return html`<${Secret} title="Its secret" secret=${secret} onClose=${onClose} />`;
  const confirm = async () => {
    const { url, name, format, events } = fields;
    if (!url.trim()) throw new Error("Write the URL that messages are sent to.");
    const body = { url: url.trim(), format, events: events.split(" ").filter(Boolean), ...(name.trim() && { name: name.trim() }) };
    setSecret((await send("POST", "webhooks", body)).secret);
  };
  return html`
    <${Dialog} title="New webhook" confirm="Make it" keep="Cancel" isDangerous=${false} onConfirm=${confirm} onClose=${onClose}>
      <label class="field"><span>URL</span><input type="url" value=${fields.url} spellcheck=${false} autocomplete="off" placeholder="https://…" onInput=${change("url")} /></label>
      <label class="field"><span>Name</span><input type="text" value=${fields.name} autocomplete="off" onInput=${change("name")} /></label>
      <${Choice} label="It is" options=${FORMATS} value=${fields.format} onChange=${change("format")} />
      <${Choice} label="Told of" options=${CHOICES} value=${fields.events} onChange=${change("events")} />
      <p class="quiet">Labels and single events: <code>trainyard webhooks create --help</code></p>
    <//>
  `;
}
