// Imports a file of another program, chosen from the import folder or named by its path.

import { useState } from "../../vendor/preact.js";
import { send } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { Ago } from "../../parts/ago.js";
import { Dialog } from "../../parts/dialog.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { addressOf, navigate } from "../../state/route.js";
import { bytes, count } from "../../text/format.js";

const POLL_MS = 30_000;
// A short file is imported by then, and its checkpoint is opened; else the job that imports it.
const WAIT_SECONDS = 5;
const MOST_SHOWN = 200;

export function ImportDialog({ onClose }) {
  const { value, error } = usePolled("imports", POLL_MS);
  const [file, setFile] = useState("");
  const [key, setKey] = useState("");
  const confirm = async () => {
    if (!file.trim()) throw new Error("Choose a file, or write its path below the import folder.");
    const body = { file: file.trim(), ...(key.trim() && { key: key.trim() }) };
    const made = await send("POST", `checkpoints/import?wait_seconds=${WAIT_SECONDS}`, body);
    onClose();
    navigate(addressOf([made.object === "checkpoint" ? "checkpoints" : "jobs", made.id]));
  };
  return html`
    <${Dialog} title="Import weights" confirm="Import" keep="Cancel" isDangerous=${false} onConfirm=${confirm} onClose=${onClose}>
      <label class="field">
        <span>File below the import folder</span>
        <input type="text" value=${file} spellcheck=${false} autocomplete="off" onInput=${({ target }) => setFile(target.value)} />
      </label>
      <${Problem} of="The import folder" error=${error} />
      ${value && html`<${ImportFiles} listing=${value} chosen=${file} choose=${setFile} />`}
      <label class="field">
        <span>Key of the weights, if the file has several</span>
        <input type="text" value=${key} placeholder="found by itself" spellcheck=${false} autocomplete="off" onInput=${({ target }) => setKey(target.value)} />
      </label>
      <p class="quiet">Recipe and variant are detected from the names and shapes of the tensors.</p>
    <//>
  `;
}

function ImportFiles({ listing, chosen, choose }) {
  if (listing.problem) return html`<p class="callout" data-tone="warn">${listing.problem}</p>`;
  if (!listing.data.length) {
    return html`<p class="quiet">The server's import folder has no files. Where the workers have another one, write the path of a file in theirs.</p>`;
  }
  const isChosen = listing.data.some(({ path }) => path === chosen);
  // What is written narrows the list; what is chosen from it does not.
  const fitting = isChosen ? listing.data : listing.data.filter(({ path }) => path.toLowerCase().includes(chosen.trim().toLowerCase()));
  const shown = fitting.slice(0, MOST_SHOWN);
  const left = fitting.length - shown.length;
  return html`
    <ul class="import-files" aria-label="Files of the import folder" tabindex="0">
      ${shown.map(
        ({ path, bytes: size, modified_at: at }) => html`
          <li key=${path}>
            <button type="button" aria-pressed=${path === chosen} onClick=${() => choose(path)}>
              <span>${path}</span><small>${bytes(size)}<${Ago} at=${at} prefix=" · " /></small>
            </button>
          </li>
        `,
      )}
    </ul>
    ${!fitting.length && html`<p class="quiet">No file of the folder has this in its path. A worker may have it.</p>`}
    ${(left > 0 || listing.has_more) && html`<p class="quiet">${left > 0 ? `${count(left)} more files; ` : ""}write a part of the path to narrow the list.</p>`}
  `;
}
