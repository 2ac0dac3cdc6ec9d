// Why a job waits, or why it ended: after a failure with what to change, and the last lines of its log.

import { jobPath } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { html } from "../../parts/html.js";
import { cureOf } from "../../text/cures.js";
import { words } from "../../text/format.js";
import { LogText } from "../../text/user_text.js";

const TAIL_BYTES = 2_000;
const LAST_LINES = 8;
// It does not change after the job has ended.
const POLL_MS = 3_600_000;

export function Why({ job }) {
  if (job.state === "failed") return html`<${Failure} job=${job} />`;
  const text = whyOf(job);
  return text && html`<p class="callout" data-tone="waiting">${asSentence(text)}</p>`;
}

function whyOf(job) {
  if (job.state !== "succeeded" && (job.reason || job.message)) return reasonAndMessage(job);
  if (job.unreadable) return job.unreadable;
  if (job.state !== "queued") return "";
  const position = job.queue_position ? `Number ${job.queue_position} in the queue` : null;
  return [position, job.wait_reason].filter(Boolean).join(": ");
}

const reasonAndMessage = ({ reason, message }) => [reason && words(reason), message].filter(Boolean).join(": ");
const asSentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function Failure({ job }) {
  const cure = cureOf(job);
  return html`
    <section class="callout failure" data-tone="bad" aria-label="Why it failed">
      <p class="reason">${asSentence(reasonAndMessage(job) || "failed")}</p>
      ${cure && html`<p class="cure">${cure}</p>`}
      <p class="which">${whichAttempt(job)}</p>
      ${job.attempt > 0 && html`<${LastLines} job=${job} />`}
    </section>
  `;
}

function whichAttempt({ attempt, spec }) {
  if (!attempt) return "No worker had begun with it.";
  return `It ended in attempt ${attempt}${spec.max_failures === undefined ? "" : `; max_failures is ${spec.max_failures}`}.`;
}

function LastLines({ job }) {
  const { value } = usePolled(`${jobPath(job.id)}/logs?attempt=${job.attempt}&tail_bytes=${TAIL_BYTES}`, POLL_MS);
  const lines = value ? linesOf(value.text) : [];
  if (!lines.length) return null;
  const toLog = () => document.getElementById("log")?.scrollIntoView({ block: "start" });
  return html`
    <pre class="last-lines" tabindex="0" role="region" aria-label="Last lines of the log" ref=${toEnd}>${lines.join("\n")}</pre>
    <button type="button" class="link" onClick=${toLog}>Show the log</button>
  `;
}

const toEnd = (box) => box && (box.scrollTop = box.scrollHeight);

function linesOf(text) {
  const { whole, open } = new LogText().add(text);
  return [...whole.split("\n"), open].filter((line) => line.trim()).slice(-LAST_LINES);
}
