// All GPUs of a worker as two small bars each: their use, and their memory.

import { html } from "../../parts/html.js";
import { celsius, meanOf, share } from "../../text/use.js";
import { counted } from "../../text/format.js";

export function GpuStrip({ gpus }) {
  return html`
    <span class="gpu-strip" role="img" aria-label=${summaryOf(gpus)}>
      ${gpus.map(
        (gpu) => html`
          <span key=${gpu.index} class="gpu-bars" title=${titleOf(gpu)}>
            <span class="gpu-use" style=${{ "--part": gpu.use ?? 0 }}></span>
            <span class="gpu-memory" style=${{ "--part": gpu.memoryUse ?? 0 }}></span>
          </span>
        `,
      )}
    </span>
  `;
}

const titleOf = ({ index, use, memoryUse, temperature, problem }) =>
  `GPU ${index}: ${problem ? `not given out: ${problem}; ` : ""}${share(use)} used, ${share(memoryUse)} of its memory, ${celsius(temperature)}`;

function summaryOf(gpus) {
  const use = meanOf(gpus.map((gpu) => gpu.use));
  const memoryUse = meanOf(gpus.map((gpu) => gpu.memoryUse));
  const many = counted(gpus.length, "GPU", "GPUs");
  return use === null && memoryUse === null
    ? `${many}, whose use is not known`
    : `${many}: ${share(use)} used on average, ${share(memoryUse)} of the memory`;
}
