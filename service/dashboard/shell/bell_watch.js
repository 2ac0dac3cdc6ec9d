// Notifications of the browser when a job has ended whose bell is on, whatever page is shown.

import { useEffect } from "../vendor/preact.js";
import { shortJobPath } from "../api/client.js";
import { usePolled } from "../api/polled.js";
import { html } from "../parts/html.js";
import { isEnded } from "../parts/states.js";
import { announce } from "../state/announcer.js";
import { bells, setBell } from "../state/bells.js";
import { addressOf } from "../state/route.js";
import { errorRate, words } from "../text/format.js";
import { titleOf } from "../text/job_title.js";
import { visible } from "../text/user_text.js";

const POLL_MS = 5_000;
const ICON = new URL("../icon.svg", import.meta.url).href;

export function BellWatch() {
  return bells.value.map((id) => html`<${Watch} key=${id} id=${id} />`);
}

function Watch({ id }) {
  const { value: job, error } = usePolled(shortJobPath(id), POLL_MS);
  useEffect(() => {
    if (error?.status === 404) setBell(id, false);
    if (!job || !isEnded(job)) return;
    setBell(id, false);
    notify(job);
  }, [job, error]);
  return null;
}

function notify(job) {
  const title = `${titleOf(job)} ${job.state}`;
  try {
    const shown = new Notification(title, { body: bodyOf(job), tag: job.id, icon: ICON });
    shown.onclick = () => {
      window.focus();
      location.hash = addressOf(["jobs", job.id]);
      shown.close();
    };
  } catch {
    // Browsers of telephones show none of a page without a service worker.
    announce(title);
  }
}

function bodyOf(job) {
  if (job.state !== "succeeded") return visible([job.reason && words(job.reason), job.message].filter(Boolean).join(": "));
  const error = job.result?.top1_error ?? job.metrics.top1_error;
  return error === undefined ? "" : `Top-1 error ${errorRate(error)}`;
}
