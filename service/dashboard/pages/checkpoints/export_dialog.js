// Asks in which format a checkpoint is exported; the export is a job, whose page is opened.

import { useState } from "../../vendor/preact.js";
import { checkpointPath, send } from "../../api/client.js";
import { Dialog } from "../../parts/dialog.js";
import { html } from "../../parts/html.js";
import { addressOf, navigate } from "../../state/route.js";

const ORIGINAL = "pth.tar";
const FORMATS = [
  [ORIGINAL, "pth.tar, for the original train.py"],
  ["safetensors", "safetensors"],
  ["onnx", "ONNX"],
  ["torch_export", "torch.export"],
];

export function ExportDialog({ checkpoint, onClose }) {
  const [format, setFormat] = useState(ORIGINAL);
  const [hasPrefix, setPrefix] = useState(false);
  const confirm = async () => {
    const form = { format, module_prefix: format === ORIGINAL && hasPrefix };
    const job = await send("POST", `${checkpointPath(checkpoint.id)}/export`, form);
    onClose();
    navigate(addressOf(["jobs", job.id]));
  };
  return html`
    <${Dialog} title="Export this checkpoint" confirm="Export" keep="Cancel" isDangerous=${false} onConfirm=${confirm} onClose=${onClose}>
      <label class="field">
        <span>Format</span>
        <select value=${format} onChange=${({ target }) => setFormat(target.value)}>
          ${FORMATS.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}
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
