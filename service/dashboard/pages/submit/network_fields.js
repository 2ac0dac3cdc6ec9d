// The fields of the network: its recipe, and its variant by name or by the digits of an architecture.

import { html } from "../../parts/html.js";
import { addressOf } from "../../state/route.js";
import { shortId } from "../../text/checkpoints.js";
import { digitsOf, placesOf, spacesOf } from "../../text/paths.js";
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
 * @param {import("../../api/types").DatasetInfo[]} props.datasets
 */
export function NetworkFields({ draft, bind, onChange, problems, recipes, datasets }) {
  const recipe = recipes.find(({ name }) => name === draft.recipe);
  // Another recipe has other variants and parameters: those that it has too are kept.
  const chooseRecipe = (name) => onChange(keptBy(recipes.find((each) => each.name === name), { ...draft, recipe: name }));
  // Another variant is none that the search has found.
  const chooseVariant = (value) => onChange(withValue(withValue(draft, ["search"], undefined), ["variant"], value));
  return html`
    <${ChoiceField} label="Recipe" ...${bind("recipe")} onChange=${chooseRecipe} hint=${recipe?.description} choices=${recipes.map(({ name }) => [name, name])} />
    ${recipe && html`<${VariantFields} recipe=${recipe} draft=${draft} bound=${{ ...bind("variant"), onChange: chooseVariant }} problems=${problems} datasets=${datasets} />`}
    ${draft.search && html`<p class="field-hint found-by">Found by <a href=${addressOf(["jobs", draft.search])}>${shortId(draft.search)}</a>, as long as the variant is its.</p>`}
  `;
}

function VariantFields({ recipe, draft, bound, problems, datasets }) {
  const spaces = spacesOf(recipe);
  const digits = spaces.length ? digitsOf(bound.value) : null;
  const choices = [["", "default"], ...recipe.variants.map((name) => [name, name]), ...(spaces.length ? [[BY_DIGITS, BY_DIGITS]] : [])];
  const choose = (value) => bound.onChange(value === BY_DIGITS ? firstOf(spaces[0]) : value);
  if (choices.length < 3) return null;
  const shown = digits ? { value: BY_DIGITS, problem: "", notes: [] } : {};
  return html`
    <${ChoiceField} label="Variant" ...${bound} ...${shown} choices=${choices} onChange=${choose} />
    ${digits && html`<${ArchitectureFields} recipe=${recipe} spaces=${spaces} digits=${digits} params=${{ ...draft.params, num_classes: classesOf(draft, datasets) }} bound=${bound} problems=${problems} />`}
  `;
}

/** How many classes the network will have, where that is known: as given, or those of the data. */
const classesOf = ({ params, data }, datasets) => params?.num_classes ?? datasets.find(({ name }) => name === data?.dataset)?.num_classes;

/** The digits to begin with: those of a variant that has a name, or else the first choice at every place. */
function firstOf(space) {
  const [named] = Object.values(space.named ?? {});
  const digits = digitsOf(named) ?? { blocks: "0".repeat(placesOf(space)) };
  return space.only_by_name ? { ...digits, space: space.name } : digits;
}

function keptBy(recipe, draft) {
  if (!recipe) return draft;
  const known = Object.entries(draft.params ?? {}).filter(([name]) => Object.hasOwn(recipe.schema.properties ?? {}, name));
  const variant = recipe.variants.includes(draft.variant) ? draft.variant : undefined;
  return withValue(withValue({ ...draft, params: Object.fromEntries(known) }, ["search"], undefined), ["variant"], variant);
}
