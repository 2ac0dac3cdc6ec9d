// How charts are drawn, as a part of the address.

import { html } from "../parts/html.js";
import { changeQuery } from "../state/route.js";

const SMOOTHINGS = [0, 0.6, 0.9, 0.97];

/** The properties of a `Chart` that the query of an address stands for. */
export function settingsOf(query) {
  return {
    smoothing: SMOOTHINGS.find((weight) => String(weight) === query.get("smooth")) ?? 0,
    isLog: query.has("log"),
    isClipped: !query.has("outliers"),
  };
}

export function ChartSettings({ query }) {
  const choose = (event) => changeQuery({ smooth: event.currentTarget.value === "0" ? null : event.currentTarget.value });
  return html`
    <div class="chart-settings" role="group" aria-label="Charts">
      <label>Smoothing
        <select value=${String(settingsOf(query).smoothing)} onChange=${choose}>
          ${SMOOTHINGS.map((weight) => html`<option key=${weight} value=${String(weight)}>${weight || "none"}</option>`)}
        </select>
      </label>
      <${Flag} query=${query} name="log" label="Logarithmic" />
      <${Flag} query=${query} name="outliers" label="Show outliers" />
    </div>
  `;
}

function Flag({ query, name, label }) {
  const change = (event) => changeQuery({ [name]: event.currentTarget.checked ? "1" : null });
  return html`<label><input type="checkbox" checked=${query.has(name)} onChange=${change} /> ${label}</label>`;
}
