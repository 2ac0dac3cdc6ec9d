// Asks in which format a checkpoint is exported; the export is a job, whose page is opened.

import { send } from "../api/client.js";
import { addressOf, navigate } from "../state/route.js";
import { useState } from "../vendor/preact.js";
import { Dialog } from "./dialog.js";
import { html } from "./html.js";

const ORIGINAL = "pth.tar";
const TITLES = new Map([
  [ORIGINAL, "pth.tar, for the original train.py"],
  ["onnx", "ONNX"],
  ["torch_export", "torch.export"],
]);

/** @param {{action: import("../api/types").JobAction, onClose: () => void}} props */
export function ExportDialog({ action, onClose }) {
  const formats = action.choices?.format ?? [];
  const [format, setFormat] = useState(formats[0]);
  const [hasPrefix, setPrefix] = useState(false);
  const confirm = async () => {
    const form = { format, module_prefix: format === ORIGINAL && hasPrefix };
    const job = await send(action.method, action.path.replace(/^\//, ""), form);
    onClose();
    navigate(addressOf(["jobs", job.id]));
  };
  return html`
    <${Dialog} title="Export this checkpoint" confirm="Export" keep="Cancel" isDangerous=${false} onConfirm=${confirm} onClose=${onClose}>
      <label class="field">
        <span>Format</span>
        <select value=${format} onChange=${({ target }) => setFormat(target.value)}>
          ${formats.map((value) => html`<option key=${value} value=${value}>${TITLES.get(value) ?? value}</option>`)}
        </select>
      </label>
      ${format === ORIGINAL &&
      html`
        <label class="check">
          <input type="checkbox" checked=${hasPrefix} onChange=${({ target }) => setPrefix(target.checked)} />
          <span>Put <code>module.</code> before each name, as DataParallel does</span>
        </label>
      `}
      <p class="quiet">A worker makes the file; its job has it to download. The same export again is the same job.</p>
    <//>
  `;
}
