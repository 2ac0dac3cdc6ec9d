// What a checkpoint's manifest says.

import { useState } from "../../vendor/preact.js";
import { Definitions } from "../../parts/definitions.js";
import { html } from "../../parts/html.js";
import { count, NONE } from "../../text/format.js";

export function ManifestPanel({ checkpoint }) {
  const { manifest } = checkpoint;
  if (!manifest || !Object.keys(manifest).length) return null;
  return html`
    <section class="panel result">
      <h2>Manifest</h2>
      <${Definitions} entries=${entriesOf(manifest)} />
      <${Whole} manifest=${manifest} />
    </section>
  `;
}

/** A manifest of another version may lack any of them. */
function entriesOf(manifest) {
  const text = (value) => (value === null || value === undefined ? NONE : String(value));
  const versions = Object.entries(manifest.versions ?? {}).map(([name, version]) => `${name} ${version}`);
  return [
    { name: "Format", value: text(manifest.format) },
    { name: "Classes", value: count(manifest.num_classes) },
    { name: "Image size", value: manifest.image_size ? `${manifest.image_size} px` : NONE },
    { name: "Preprocessing", value: text(manifest.preprocessing) },
    { name: "Ranks", value: count(manifest.world_size) },
    { name: "Parent", value: text(manifest.parent_checkpoint) },
    { name: "SHA-256 of the submission", value: text(manifest.spec_sha256) },
    { name: "Written by", value: versions.join(", ") || NONE },
  ];
}

function Whole({ manifest }) {
  const [isOpen, setOpen] = useState(false);
  return html`
    <details class="whole" onToggle=${(event) => setOpen(event.target.open)}>
      <summary>All of it, as JSON</summary>
      ${isOpen && html`<pre tabindex="0">${JSON.stringify(manifest, null, 2)}</pre>`}
    </details>
  `;
}
