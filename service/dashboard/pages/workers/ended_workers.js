// The workers that have ended, folded until somebody asks.

import { useState } from "../../vendor/preact.js";
import { usePolled } from "../../api/polled.js";
import { Ago } from "../../parts/ago.js";
import { Badge } from "../../parts/badge.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { Table } from "../../parts/table.js";
import { NONE } from "../../text/format.js";
import { devicesText, workerTone } from "../../text/workers.js";

const POLL_MS = 30_000;

const COLUMNS = [
  { name: "Host", cell: ({ host, id }) => html`<span title=${id}>${host}</span>` },
  { name: "State", cell: (worker) => html`<${Badge} state=${worker.state} tone=${workerTone(worker)} />` },
  { name: "Why", cell: ({ message }) => message ?? NONE },
  { name: "Devices", cell: ({ gpus }) => devicesText(gpus) },
  { name: "Version", cell: ({ version }) => version || NONE },
  { name: "Last seen", cell: ({ last_seen_at: at }) => html`<${Ago} at=${at} />` },
];

export function EndedWorkers() {
  const [isOpen, setOpen] = useState(false);
  const { value, error } = usePolled(isOpen ? "workers?ended=true" : null, POLL_MS);
  return html`
    <details class="panel ended-workers" onToggle=${(event) => setOpen(event.currentTarget.open)}>
      <summary>Workers that have ended</summary>
      <${Problem} of="Ended workers" error=${error} />
      ${value && !value.data.length && html`<p class="quiet">None within the last 30 days.</p>`}
      ${value?.data.length > 0 && html`<${Table} label="Workers that have ended" columns=${COLUMNS} rows=${value.data} keyOf=${({ id }) => id} />`}
    </details>
  `;
}
