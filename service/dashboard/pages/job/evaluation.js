// The result of an eval: confusion matrix, classes with the highest error, misclassified images.

import { jobPath } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { Table } from "../../parts/table.js";
import { count, errorRate } from "../../text/format.js";
import { shownName } from "../../text/user_text.js";
import { ConfusionMatrix } from "./confusion_matrix.js";

const FILE = "evaluation.json";
const WORST = 10;
// It does not change after the job has ended.
const POLL_MS = 3_600_000;

const COLUMNS = [
  { name: "Class", cell: (row) => shownName(row.class) },
  { name: "Images", cell: ({ samples }) => count(samples) },
  { name: "Wrong", cell: ({ samples, correct }) => count(samples - correct) },
  { name: "Error", cell: ({ accuracy }) => errorRate(1 - accuracy) },
];

export function Evaluation({ job }) {
  const path = job.result?.files?.[FILE] ? `${jobPath(job.id)}/files/${FILE}` : null;
  const { value, error } = usePolled(path, POLL_MS);
  return html`
    <${Problem} of="Evaluation" error=${error} />
    ${value &&
    html`
      <div class="evaluation">
        <section class="panel matrix">
          <h2>Confusion matrix</h2>
          <${ConfusionMatrix} names=${value.class_names} matrix=${value.confusion_matrix} />
        </section>
        <section class="panel"><h2>Hardest classes</h2><${HardestClasses} classes=${value.per_class} /></section>
        <${Mistakes} wrong=${value.wrong} total=${value.wrong_total} />
      </div>
    `}
  `;
}

function HardestClasses({ classes }) {
  const worst = classes
    .filter(({ samples }) => samples)
    .sort((one, other) => one.accuracy - other.accuracy || other.samples - one.samples)
    .slice(0, WORST);
  return html`<${Table} label="Classes" columns=${COLUMNS} rows=${worst} keyOf=${(row) => row.class} />`;
}

function Mistakes({ wrong, total }) {
  // An image of the file itself, and of nowhere else.
  const pictures = wrong.filter(({ preview }) => preview?.startsWith("data:image/"));
  return html`
    <section class="panel wide">
      <h2>${total ? `Wrong examples: ${count(total)}, the most confident first` : "No wrong examples"}</h2>
      <ul class="mistakes">${pictures.map((each) => html`<${Mistake} key=${each.image} wrong=${each} />`)}</ul>
    </section>
  `;
}

function Mistake({ wrong }) {
  const [actual, predicted] = [wrong.class, wrong.predicted].map(shownName);
  return html`
    <li title=${wrong.image}>
      <img src=${wrong.preview} alt=${`${wrong.image}: ${actual}, predicted as ${predicted}`} />
      <span><b>${actual}</b> → ${predicted}</span>
      <small>${Math.round(wrong.confidence * 100)} % confidence</small>
    </li>
  `;
}
