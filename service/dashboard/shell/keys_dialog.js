// The keys that the page understands, in a dialog that "?" opens.

import { useState } from "../vendor/preact.js";
import { html } from "../parts/html.js";
import { Sheet } from "../parts/sheet.js";
import { keyTable, useKeys } from "../state/keys.js";

export function KeysDialog() {
  const [isShown, setShown] = useState(false);
  useKeys("Everywhere", [{ key: "?", title: "Show the keys", run: () => setShown(true) }]);
  if (!isShown) return null;
  return html`
    <${Sheet} title="Keys" onClose=${() => setShown(false)}>
      ${keyTable.value.map(
        ({ part, keys }) => html`
          <section class="keys" key=${part}>
            <h3>${part}</h3>
            <dl>${keys.map(({ key, title }) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${title}</dd></div>`)}</dl>
          </section>
        `,
      )}
    <//>
  `;
}
