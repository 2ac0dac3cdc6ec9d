// The fields of an architecture by its digits, with its picture and its size as it is typed.

import { useEffect, useState } from "../../vendor/preact.js";
import { Resource } from "../../api/client.js";
import { html } from "../../parts/html.js";
import { PathStrip } from "../../parts/path_strip.js";
import { millions } from "../../text/candidates.js";
import { count } from "../../text/format.js";
import { placesOf, spaceOf, stagesOf } from "../../text/paths.js";
import { problemsOf } from "./dry_run.js";
import { ChoiceField, TextField } from "./fields.js";

const PAUSE_MS = 250;

/**
 * @param {object} props
 * @param {import("../../api/types").ShownRecipe} props.recipe
 * @param {import("../../api/types").SearchSpace[]} props.spaces Those of the recipe.
 * @param {import("../../text/paths.js").Digits} props.digits
 * @param {Record<string, any>} props.params Of the draft.
 * @param {{value: any, problem?: string, notes: any[], onChange: (value: any) => void}} props.bound The variant.
 * @param {Map<string, string>} props.problems Of the draft, by JSON pointer.
 */
export function ArchitectureFields({ recipe, spaces, digits, params, bound, problems }) {
  const space = spaceOf(spaces, digits);
  const places = placesOf(space);
  const { size, refusals } = useSize(recipe.name, digits, params);
  const problemOf = (name) => refusals.get(`/${name}`) ?? problems.get(`/variant/${name}`);
  // What the dry run says of the whole is said of its fields already.
  const other = refusals.get("") ?? (refusals.size ? undefined : bound.problem);
  // The size is below, as it is typed.
  const warnings = bound.notes.filter(({ level }) => level === "warning");
  const change = (name) => (text) => {
    const changed = Object.entries({ ...digits, [name]: text?.trim() }).filter(([, value]) => value);
    bound.onChange({ blocks: "", ...Object.fromEntries(changed) });
  };
  const named = spaces.filter((each) => each.only_by_name).map(({ name }) => [name, name]);
  const choices = named.length < spaces.length ? [["", "by the number of blocks"], ...named] : named;
  return html`
    ${named.length > 0 &&
    html`<${ChoiceField} label="Space" problem=${problemOf("space")} value=${digits.space} choices=${choices} onChange=${change("space")} />`}
    <${TextField} label="Blocks" hint=${`${places} digits: 0, 1, 2 for kernel 3, 5, 7, and 3 for xception.`} problem=${problemOf("blocks") ?? other} notes=${warnings} value=${digits.blocks} onChange=${change("blocks")} />
    ${!space?.fixed_widths &&
    html`<${TextField} label="Channels" hint=${`${places} digits of 0 to 7 for 0.2 to 1.6 of the published width.`} placeholder=${"4".repeat(places)} problem=${problemOf("channels")} value=${digits.channels} onChange=${change("channels")} />`}
    <div class="architecture" role="status">
      <${PathStrip} blocks=${digits.blocks} stages=${stagesOf(space)} />
      <p>${size ? sizeText(size) : "\u00a0"}</p>
    </div>
  `;
}

const sizeText = ({ multiply_adds: cost, parameters, image_size: pixels, classes }) =>
  `${millions(cost)} multiply-adds and ${count(parameters)} parameters, for ${pixels} px and ${count(classes)} classes.`;

/**
 * How large the server says it is, a moment after each change, or what is wrong with which digits.
 * @param {string} recipe
 * @param {import("../../text/paths.js").Digits} digits
 * @param {Record<string, any>} params Of the draft.
 */
function useSize(recipe, { blocks, channels, space }, { image_size: pixels, num_classes: classes }) {
  const [answer, setAnswer] = useState({ size: null, refusals: new Map() });
  const given = Object.entries({ blocks, channels, space, image_size: pixels, classes }).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const path = `recipes/${encodeURIComponent(recipe)}/size?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      const resource = new Resource(path);
      try {
        await resource.read(abort.signal);
        setAnswer({ size: resource.value, refusals: new Map() });
      } catch (error) {
        if (!abort.signal.aborted) setAnswer({ size: null, refusals: problemsOf(error) });
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort(new DOMException("changed", "AbortError"));
    };
  }, [path]);
  return answer;
}
