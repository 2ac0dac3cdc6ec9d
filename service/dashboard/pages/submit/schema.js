// What a JSON Schema of one parameter allows, for a field of a form.

/**
 * @typedef {object} FieldKind
 * @property {"number" | "integer" | "boolean" | "choice" | "text" | "json"} type
 * @property {any[]} choices Of a choice.
 * @property {number | undefined} minimum
 * @property {number | undefined} maximum
 * @property {string} limits The limits in words; empty if there are none.
 */

/** @returns {FieldKind} */
export function fieldKind(schema) {
  const options = (schema.anyOf ?? [schema]).filter(({ type }) => type !== "null");
  const number = options.find(({ type }) => type === "number" || type === "integer");
  const words = options.filter((option) => "const" in option).map((option) => option.const);
  const limits = number ? limitsOf(number) : "";
  // A number or a word, as in `data_workers: auto`, is written as text.
  const type = number && !words.length ? number.type : typeOf(options, words);
  const choices = options.flatMap((option) => option.enum ?? []);
  return { type, choices, minimum: number?.minimum, maximum: number?.maximum, limits: [...words, limits].filter(Boolean).join(" or ") };
}

function typeOf(options, words) {
  if (words.length) return "text";
  if (options.length === 1 && options[0].enum) return "choice";
  if (options.length === 1 && options[0].type === "boolean") return "boolean";
  return options.every(({ type }) => type === "string") ? "text" : "json";
}

function limitsOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf }) {
  const low = minimum !== undefined ? `${minimum}` : exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : null;
  const high = maximum !== undefined ? `${maximum}` : exclusiveMaximum !== undefined ? `below ${exclusiveMaximum}` : null;
  const range = low !== null && high !== null ? `${low} to ${high}` : (low !== null ? (minimum !== undefined ? `at least ${low}` : low) : high !== null ? `at most ${high}` : "");
  return [range, multipleOf && `a multiple of ${multipleOf}`].filter(Boolean).join(", ");
}

/**
 * The value that a text stands for: undefined for none. What is not of its type is sent as it is, so
 * that the server says what is wrong with it.
 */
export function parsedValue(kind, text) {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  if (kind.type === "boolean") return trimmed === "true";
  if (kind.type === "json") return parsedJson(trimmed);
  const isNumber = kind.type === "number" || kind.type === "integer" || /^[-+]?[\d.]/.test(trimmed);
  const value = Number(trimmed);
  return isNumber && kind.type !== "choice" && Number.isFinite(value) ? value : trimmed;
}

function parsedJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
