// The messages that are shown in place of an empty list of jobs.

import { el, setText } from "../../parts/dom.js";

/** How to submit a first job, with a command to paste into a shell. */
export function firstJob() {
  const command = el("div", { class: "command" });
  // Without an answer the message stands without the command, and still leads to the API.
  showCommand(command).catch(() => command.remove());
  return el(
    "div",
    { class: "empty" },
    el("h2", {}, "No jobs yet"),
    el("p", {}, "Submit the first one: a short training on the digits data set takes minutes on a CPU."),
    command,
    el("p", { class: "quiet" }, "The API is described at ", el("a", { href: "docs" }, "docs"), "."),
  );
}

async function showCommand(parent) {
  const response = await fetch(new URL("../../first_job.json", import.meta.url));
  const job = JSON.stringify(await response.json(), null, 2).replace(/\n\s*/g, " ");
  const command = [
    `curl ${new URL("jobs", document.baseURI)} \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${job}'`,
  ].join("\n");
  parent.append(el("pre", { tabindex: 0 }, el("code", {}, command)));
  const button = copyButton(command);
  if (button) parent.append(button);
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
