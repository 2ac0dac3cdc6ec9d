// What a draft comes to: what is wrong, what differs from the original, how to send it otherwise.

import { useState } from "../../vendor/preact.js";
import { ChangesTable } from "../../parts/changes_table.js";
import { html } from "../../parts/html.js";
import { changesBetween } from "../../text/changes.js";
import { count, counted } from "../../text/format.js";
import { asCommand, asCurl, asPython } from "./copy_as.js";

export function Problems({ problems, isChecked }) {
  if (!problems.size) return html`<p class="quiet">${isChecked ? "Nothing is wrong with it." : "Checking…"}</p>`;
  return html`
    <ul class="problems" aria-label="Problems">
      ${[...problems].map(([pointer, detail]) => html`<li key=${pointer}>${pointer && html`<code>${pointer}</code>`} ${detail}</li>`)}
    </ul>
  `;
}

/** What of it may well fail, though the server would take it. */
export function Warnings({ hints }) {
  const warnings = hints.filter(({ level }) => level === "warning");
  if (!warnings.length) return null;
  return html`<ul class="warnings" aria-label="Warnings">${warnings.map(({ pointer, detail }) => html`<li key=${detail}><code>${pointer}</code> ${detail}</li>`)}</ul>`;
}

/** The length of the run in words, once the server has completed the specification. */
export function RunLength({ completed, datasets }) {
  const params = completed?.params;
  if (completed?.kind === "search" && params) return html`<p>${searchText(params)}</p>`;
  if (completed?.kind !== "train" || !params?.total_iters || !params.batch_size) return null;
  const images = datasets.find(({ name }) => name === completed.data?.dataset)?.train_images;
  const seen = params.total_iters * params.batch_size;
  const epochs = images ? `, ${Number((seen / images).toPrecision(3)).toLocaleString("en")} times the data` : "";
  return html`<p>${counted(params.total_iters, "step", "steps")} of ${counted(params.batch_size, "image", "images")}: ${count(seen)} images${epochs}.</p>`;
}

function searchText({ candidates, generations, population, fitness_images: images }) {
  const many = candidates ? candidates.length : generations * population;
  const plan = candidates ? "" : `${counted(generations, "generation", "generations")} of ${count(population)}: `;
  return `${plan}${counted(many, "candidate", "candidates")}, each on at most ${counted(images, "image", "images")}.`;
}

export function Changes({ original, draft }) {
  const changes = changesBetween(original, draft);
  if (!changes.length) return html`<p class="quiet">As the original.</p>`;
  return html`<${ChangesTable} label="Changes" before="Original" changes=${changes} absent="default" />`;
}

const WAYS = { curl: asCurl, CLI: asCommand, Python: asPython };

export function CopyAs({ draft }) {
  const [copied, setCopied] = useState(null);
  const server = new URL(".", document.baseURI).href;
  const copy = async (way) => {
    await navigator.clipboard.writeText(WAYS[way](server, draft));
    setCopied(way);
  };
  return html`
    <details class="copy-as">
      <summary>Copy as</summary>
      ${Object.keys(WAYS).map(
        (way) => html`
          <div key=${way} class="copy-way">
            <div class="panel-head"><b>${way}</b><button type="button" class="button" onClick=${() => copy(way)}>${copied === way ? "Copied" : "Copy"}</button></div>
            <pre tabindex="0">${WAYS[way](server, draft)}</pre>
          </div>
        `,
      )}
    </details>
  `;
}
