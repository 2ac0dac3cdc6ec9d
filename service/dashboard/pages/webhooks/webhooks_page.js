// The page of the webhooks: who is told of what, and what came of the last message.

import { useEffect, useState } from "../../vendor/preact.js";
import { usePolled } from "../../api/polled.js";
import { Badge } from "../../parts/badge.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { Table } from "../../parts/table.js";
import { shownName } from "../../text/user_text.js";
import { Deliveries, LastDelivery } from "./deliveries.js";
import { NewWebhook } from "./new_webhook.js";
import { WebhookActions } from "./webhook_actions.js";

const POLL_MS = 10_000;

export function WebhooksPage({ query }) {
  const { value, error, refresh } = usePolled("webhooks", POLL_MS);
  const [isMaking, setMaking] = useState(false);
  useEffect(() => {
    document.title = "Webhooks – Trainyard";
  }, []);
  const open = value?.data.find(({ id }) => id === query.get("open"));
  return html`
    <div class="page-head">
      <h1>Webhooks</h1>
      <button type="button" class="button" onClick=${() => setMaking(true)}>New webhook</button>
    </div>
    <${Problem} of="Webhooks" error=${error} />
    ${value && (value.data.length ? html`<${List} webhooks=${value.data} refresh=${refresh} />` : html`<${NoWebhooks} />`)}
    ${open && html`<${Deliveries} key=${open.id} webhook=${open} />`}
    ${isMaking && html`<${NewWebhook} onClose=${() => (setMaking(false), refresh())} />`}
  `;
}

function List({ webhooks, refresh }) {
  const columns = [
    { name: "Webhook", cell: (webhook) => html`<${Name} webhook=${webhook} />` },
    { name: "Is told of", cell: (webhook) => html`<${Told} webhook=${webhook} />` },
    { name: "State", cell: (webhook) => html`<${State} webhook=${webhook} />` },
    { name: "Last message", cell: ({ id }) => html`<${LastDelivery} id=${id} />` },
    { name: "Actions", cell: (webhook) => html`<${WebhookActions} webhook=${webhook} refresh=${refresh} />` },
  ];
  return html`
    <div class="panel webhooks">
      <${Table} label="Webhooks" columns=${columns} rows=${webhooks} keyOf=${({ id }) => id} />
    </div>
  `;
}

export const nameOf = ({ name, id }) => (name ? shownName(name) : `…${id.slice(-6)}`);

function Name({ webhook }) {
  const href = `#/webhooks?open=${encodeURIComponent(webhook.id)}`;
  return html`<a href=${href} title=${webhook.id}>${nameOf(webhook)}</a><small>${hostOf(webhook.url)} · ${webhook.format}</small>`;
}

/** The host alone: the rest of a chat's URL is a secret. */
function hostOf(url) {
  return URL.canParse(url) ? new URL(url).host : url;
}

function Told({ webhook: { events, labels, recipe } }) {
  const only = [...Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`), ...(recipe ? [recipe] : [])];
  return html`${events?.length ? events.join(", ") : "all events"}${only.length > 0 && html`<small>only ${only.join(", ")}</small>`}`;
}

function State({ webhook: { enabled, disabled_reason: why, previous_secret_expires_at: until } }) {
  return html`
    <${Badge} state=${enabled ? "enabled" : "disabled"} tone=${enabled ? "good" : "warn"} />
    ${why && html`<small>${why}</small>`}
    ${until && html`<small>the old secret signs, too, until ${new Date(until).toLocaleString()}</small>`}
  `;
}

function NoWebhooks() {
  return html`
    <div class="empty">
      <h2>No webhooks</h2>
      <p>A webhook tells a program, or a channel of Slack or Teams, what happens to jobs. <a href="guide/webhooks/">How it works</a></p>
    </div>
  `;
}
