// How charts are drawn, as a part of the address.

import { CsvLink } from "../parts/csv_link.js";
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

/** The x axes that a run's charts can have, by the value in the address. */
const AXES = ["step", "epoch", "time"];

/**
 * The axis that the query of an address asks for, or the steps if that one is not known.
 * @param {URLSearchParams} query
 * @param {Record<string, any>} axes By name, null where it is not known.
 */
export const axisIn = (query, axes) => (Object.hasOwn(axes, query.get("x") ?? "") && axes[query.get("x")]) || axes.step;

/**
 * @param {object} props
 * @param {URLSearchParams} props.query
 * @param {Record<string, any> | null} [props.axes]
 * @param {string[]} props.jobs Ids of the jobs whose values can be downloaded.
 */
export function ChartSettings({ query, axes = null, jobs }) {
  const choose = (event) => changeQuery({ smooth: event.currentTarget.value === "0" ? null : event.currentTarget.value });
  return html`
    <div class="chart-settings" role="group" aria-label="Charts">
      ${axes && html`<${AxisChoice} query=${query} axes=${axes} />`}
      <label>Smoothing
        <select value=${String(settingsOf(query).smoothing)} onChange=${choose}>
          ${SMOOTHINGS.map((weight) => html`<option key=${weight} value=${String(weight)}>${weight || "none"}</option>`)}
        </select>
      </label>
      <${Flag} query=${query} name="log" label="Logarithmic" />
      <${Flag} query=${query} name="outliers" label="Show outliers" />
      <${CsvLink} of="All values" path="exports/metrics.csv" query=${{ jobs: jobs.join(",") }} />
    </div>
  `;
}

function AxisChoice({ query, axes }) {
  const chosen = axisIn(query, axes).name;
  const unknown = AXES.filter((name) => !axes[name]);
  const choose = (event) => changeQuery({ x: event.currentTarget.value === "step" ? null : event.currentTarget.value });
  return html`
    <label title=${unknown.length ? `Not known here: ${unknown.join(", ")}` : null}>X axis
      <select value=${chosen} onChange=${choose}>
        ${AXES.map((name) => html`<option key=${name} value=${name} disabled=${!axes[name]}>${name}</option>`)}
      </select>
    </label>
  `;
}

function Flag({ query, name, label }) {
  const change = (event) => changeQuery({ [name]: event.currentTarget.checked ? "1" : null });
  return html`<label><input type="checkbox" checked=${query.has(name)} onChange=${change} /> ${label}</label>`;
}
