// The button that pins a checkpoint, so that retention and users leave it.

import { checkpointPath, send } from "../../api/client.js";
import { useSender } from "../../api/sender.js";
import { lacksRole } from "../../api/session.js";
import { html } from "../../parts/html.js";
import { isRetained, stepTitle } from "../../text/checkpoints.js";

const TITLE = "A pinned checkpoint is neither removed by retention nor deleted";

/** `afterwards()` is called when it is changed; `isOthers` if who looks may not change it. */
export function Pin({ checkpoint, isOthers = false, afterwards }) {
  const { run, isSending, problem } = useSender();
  const { id, pinned } = checkpoint;
  if (!isRetained(checkpoint) || isOthers || lacksRole("user")) return pinned ? html`<span class="tag">pinned</span>` : null;
  const change = () =>
    run(async () => {
      await send("PATCH", checkpointPath(id), { pinned: !pinned });
      afterwards();
    });
  return html`
    <button
      type="button"
      class="tool pin"
      aria-pressed=${pinned}
      title=${TITLE}
      disabled=${isSending}
      onClick=${change}
    ><span aria-hidden="true">${pinned ? "Pinned" : "Pin"}</span><span class="unseen">Pin ${stepTitle(checkpoint)}</span></button>
    ${problem && html`<span class="callout" data-tone="bad" role="alert">${problem}</span>`}
  `;
}
