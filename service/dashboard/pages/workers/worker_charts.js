// The charts of a worker's last hour, day or week; the span is a part of the address.

import { computed, useMemo, useRef } from "../../vendor/preact.js";
import { usePolled } from "../../api/polled.js";
import { UseCharts } from "../../charts/use_charts.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { now } from "../../state/now.js";
import { changeQuery, route } from "../../state/route.js";

const SPANS = { hour: 3_600, day: 86_400, week: 604_800 };
const POLL_MS = { hour: 10_000, day: 60_000, week: 300_000 };
const MAX_POINTS = 300;
/** A span begins anew with each twelfth of it, so that the server is asked for the same meanwhile. */
const PARTS = 12;

export function WorkerCharts({ worker }) {
  const chosen = route.value.query.get("span");
  const span = Object.hasOwn(SPANS, chosen ?? "") ? chosen : "hour";
  const since = useMemo(() => computed(() => beginOf(SPANS[span], now.value)), [span]).value;
  const path = `workers/${encodeURIComponent(worker.id)}/samples?since=${since}&max_points=${MAX_POINTS}`;
  const { value, error } = usePolled(path, POLL_MS[span]);
  const series = useLast(value?.series);
  return html`
    <div class="worker-charts">
      <div class="chart-settings" role="group" aria-label=${`Charts of ${worker.host}`}>
        <label>Last
          <select value=${span} onChange=${(event) => changeQuery({ span: event.currentTarget.value })}>
            ${Object.keys(SPANS).map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
          </select>
        </label>
      </div>
      <${Problem} of="Charts" error=${error} />
      ${series && (Object.keys(series).length ? html`<${UseCharts} series=${series} />` : html`<p class="quiet">Nothing was measured in this time.</p>`)}
    </div>
  `;
}

/** The begin of a span that ends now, in ISO 8601. */
function beginOf(seconds, nowMs) {
  const step = seconds / PARTS;
  const begin = Math.floor((nowMs / 1000 - seconds) / step) * step;
  return new Date(begin * 1000).toISOString();
}

/** A value, or the one before it while it is read anew. */
function useLast(value) {
  const last = useRef(null);
  if (value) last.current = value;
  return value ?? last.current;
}
