// The messages that are shown in place of an empty list of jobs.

import { el, setText } from "./dom.js";

const FIRST_JOB = {
  kind: "train",
  recipe: "oneshot",
  variant: "searched",
  name: "first run",
  data: { dataset: "digits" },
  params: {
    total_iters: 300,
    batch_size: 64,
    image_size: 32,
    learning_rate: 0.1,
    val_interval: 100,
    save_interval: 100,
  },
};

const firstCommand = () =>
  [
    `curl ${location.origin}/jobs \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${JSON.stringify(FIRST_JOB, null, 2).replace(/\n\s+/g, " ").replace(/\n/g, " ")}'`,
  ].join("\n");

/** How to submit a first job, with a command to paste into a shell. */
export function firstJob() {
  const command = firstCommand();
  return el(
    "div",
    { class: "empty" },
    el("h2", {}, "No jobs yet"),
    el("p", {}, "Submit the first one: a short training on the digits data set takes minutes on a CPU."),
    el("div", { class: "command" }, el("pre", { tabindex: 0 }, el("code", {}, command)), copyButton(command)),
    el("p", { class: "quiet" }, "The API is described at ", el("a", { href: "/docs" }, "/docs"), "."),
  );
}

export function nothingInState(state) {
  const all = el("a", { href: "#/jobs" }, "Show all jobs");
  return el("div", { class: "empty" }, el("p", {}, `No ${state} jobs. `, all));
}

/** A button that copies; null over plain HTTP from another machine, without clipboard access. */
function copyButton(text) {
  if (!navigator.clipboard) return null;
  const button = el("button", { type: "button", class: "button" }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    setText(button, "Copied");
    setTimeout(() => setText(button, "Copy"), 2_000);
  });
  return button;
}
