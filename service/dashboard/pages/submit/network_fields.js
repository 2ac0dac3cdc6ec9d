// The fields of the network: its recipe, and its variant by name or by the digits of an architecture.

import { html } from "../../parts/html.js";
import { digitsOf } from "../../text/paths.js";
import { ArchitectureFields } from "./architecture_fields.js";
import { withValue } from "./draft.js";
import { ChoiceField } from "./fields.js";

const BY_DIGITS = "by blocks and channels";

/**
 * @param {object} props
 * @param {any} props.draft
 * @param {(...path: string[]) => any} props.bind
 * @param {(draft: object) => void} props.onChange
 * @param {Map<string, string>} props.problems By JSON pointer.
 * @param {import("../../api/types").ShownRecipe[]} props.recipes
 */
export function NetworkFields({ draft, bind, onChange, problems, recipes }) {
  const recipe = recipes.find(({ name }) => name === draft.recipe);
  // Another recipe has other variants and parameters: those that it has too are kept.
  const chooseRecipe = (name) => onChange(keptBy(recipes.find((each) => each.name === name), { ...draft, recipe: name }));
  return html`
    <${ChoiceField} label="Recipe" ...${bind("recipe")} onChange=${chooseRecipe} hint=${recipe?.description} choices=${recipes.map(({ name }) => [name, name])} />
    ${recipe && html`<${VariantFields} recipe=${recipe} draft=${draft} bind=${bind} problems=${problems} />`}
  `;
}

function VariantFields({ recipe, draft, bind, problems }) {
  const bound = bind("variant");
  const digits = recipe.search_space ? digitsOf(bound.value) : null;
  const choices = [["", "default"], ...recipe.variants.map((name) => [name, name]), ...(recipe.search_space ? [[BY_DIGITS, BY_DIGITS]] : [])];
  // The first architecture to change is one that there is.
  const choose = (value) => bound.onChange(value === BY_DIGITS ? firstOf(recipe) : value);
  if (choices.length < 3) return null;
  const shown = digits ? { value: BY_DIGITS, problem: "", notes: [] } : {};
  return html`
    <${ChoiceField} label="Variant" ...${bound} ...${shown} choices=${choices} onChange=${choose} />
    ${digits && html`<${ArchitectureFields} recipe=${recipe} digits=${digits} params=${draft.params ?? {}} bound=${bound} problems=${problems} />`}
  `;
}

/** The digits of a variant that has a name, or else the first choice at every place. */
function firstOf({ search_space: space }) {
  const [named] = Object.values(space.named ?? {});
  const places = space.stages.reduce((sum, [, units]) => sum + units, 0);
  return digitsOf(named) ?? { blocks: "0".repeat(places) };
}

function keptBy(recipe, draft) {
  if (!recipe) return draft;
  const known = Object.entries(draft.params ?? {}).filter(([name]) => Object.hasOwn(recipe.schema.properties ?? {}, name));
  const variant = recipe.variants.includes(draft.variant) ? draft.variant : undefined;
  return withValue({ ...draft, params: Object.fromEntries(known) }, ["variant"], variant);
}
