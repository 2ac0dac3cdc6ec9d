// What was sent to a webhook, and what came of it.

import { useState } from "../../vendor/preact.js";
import { secondsSince, send } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { Ago } from "../../parts/ago.js";
import { Badge } from "../../parts/badge.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { Table } from "../../parts/table.js";
import { announce } from "../../state/announcer.js";
import { NONE } from "../../text/format.js";
import { shownName } from "../../text/user_text.js";

const POLL_MS = 5_000;
/** While an answer is about to come. */
const QUICK_POLL_MS = 1_000;
const NEAR_SECONDS = 20;
const LAST_POLL_MS = 10_000;
const MOST = 50;
const TONES = { delivered: "good", pending: "waiting", failed: "bad" };

export const deliveriesPath = (id) => `webhooks/${encodeURIComponent(id)}/deliveries`;

export function LastDelivery({ id }) {
  const { value } = usePolled(`${deliveriesPath(id)}?limit=1`, LAST_POLL_MS);
  if (!value) return NONE;
  const [last] = value.data;
  return last ? html`<${State} delivery=${last} /> <small><${Ago} at=${last.last_try_at ?? last.created_at} /></small>` : "none yet";
}

export function Deliveries({ webhook }) {
  const { value, error, refresh } = usePolled(`${deliveriesPath(webhook.id)}?limit=${MOST}`, intervalMs);
  const columns = [
    { name: "Event", cell: ({ type, event_id: id }) => html`<span title=${id}>${type}</span>` },
    { name: "State", cell: (delivery) => html`<${State} delivery=${delivery} />` },
    { name: "Tries", kind: "number", cell: ({ tries }) => tries },
    { name: "Made", cell: ({ created_at: at }) => html`<${Ago} at=${at} />` },
    { name: "Answer", cell: (delivery) => html`<${Answer} delivery=${delivery} />` },
    { name: "Again", cell: (delivery) => html`<${Again} webhook=${webhook} delivery=${delivery} refresh=${refresh} />` },
  ];
  return html`
    <section class="panel webhooks" aria-labelledby="deliveries">
      <h2 id="deliveries">Messages to ${webhook.name ? shownName(webhook.name) : webhook.id}</h2>
      <${Problem} of="Messages" error=${error} />
      ${value && !value.data.length && html`<p class="quiet">Nothing was sent yet: "Test" sends a message now.</p>`}
      ${value?.data.length > 0 && html`<${Table} label="Messages" columns=${columns} rows=${value.data} keyOf=${({ event_id: id }) => id} />`}
      ${value?.has_more && html`<p class="quiet">The newest ${MOST}; <code>trainyard webhooks deliveries</code> lists more.</p>`}
    </section>
  `;
}

function intervalMs(value) {
  const isWaiting = value?.data.some(({ state, next_try_at: next }) => state === "pending" && isNear(next));
  return isWaiting ? QUICK_POLL_MS : POLL_MS;
}

const isNear = (next) => !next || secondsSince(next) > -NEAR_SECONDS;

const State = ({ delivery: { state } }) => html`<${Badge} state=${state} tone=${TONES[state] ?? "waiting"} />`;

function Answer({ delivery: { status, error, answer, state, next_try_at: next } }) {
  const text = error ?? (status ? String(status) : NONE);
  return html`<span title=${answer}>${text}</span>${state === "pending" && next && html`<small>next try at ${new Date(next).toLocaleString()}</small>`}`;
}

function Again({ webhook, delivery, refresh }) {
  const [isSending, setSending] = useState(false);
  const again = async () => {
    setSending(true);
    try {
      await send("POST", `${deliveriesPath(webhook.id)}/${encodeURIComponent(delivery.event_id)}/redeliver`);
      announce("It is sent again");
      refresh();
    } catch (error) {
      announce(error.message);
    } finally {
      setSending(false);
    }
  };
  return html`<button type="button" class="button" disabled=${isSending || delivery.state === "pending"} onClick=${again}>Send again</button>`;
}
