// Formats values for people. A missing value is an em dash, never "null" or "NaN".

export const NONE = "—";

const known = (value) => typeof value === "number" && Number.isFinite(value);
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const count = (value) => (known(value) ? whole.format(value) : NONE);

/** A number with its noun. */
export const counted = (value, one, many) => `${count(value)} ${value === 1 ? one : many}`;

/** A metric with four significant digits; very small and large values have an exponent. */
export function metric(value) {
  if (!known(value)) return NONE;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2);
  return size < 1e4 ? value.toPrecision(4) : whole.format(value);
}

/** Without the digits that a binary fraction adds: 0.00012, not 0.00012000000000000002. */
export const shortNumber = (value) => String(Number(value.toPrecision(6)));

/** A fraction in 0…1 as a percentage with two decimals. */
export const errorRate = (fraction) => (known(fraction) ? `${(fraction * 100).toFixed(2)} %` : NONE);

/** Progress as a whole percentage, rounded down: 100 only after the last step. */
export const percent = (fraction) =>
  known(fraction) ? `${Math.min(Math.floor(fraction * 100 + 1e-6), 100)} %` : NONE;

/** Images per second, with one decimal below 100. */
export const rate = (value) =>
  known(value) ? (value < 100 ? value.toFixed(1) : whole.format(value)) : NONE;

/** Bytes with a decimal unit: 1 kB is 1000 bytes. */
export function bytes(value) {
  if (!known(value)) return NONE;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** GPU memory in GiB. */
export const memory = (value) => (known(value) ? `${Math.round(value / 2 ** 30)} GiB` : NONE);

/** A duration with its two largest units: "42 s", "3 min 10 s", "2 h 5 min", "6 d 4 h". */
export function duration(seconds) {
  if (!known(seconds)) return NONE;
  const total = Math.max(0, Math.round(seconds));
  /** @type {[number, string][]} */
  const units = [
    [86400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const first = units.findIndex(([size]) => total >= size);
  if (first === -1) return "0 s";
  const [size, name] = units[first];
  const head = `${Math.floor(total / size)} ${name}`;
  const next = units[first + 1];
  const rest = next ? Math.floor((total % size) / next[0]) : 0;
  return rest ? `${head} ${rest} ${next[1]}` : head;
}

/** A duration with its largest unit only. */
export const roughly = (seconds) => duration(seconds).split(" ").slice(0, 2).join(" ");

/** How long ago, with one unit: "5 min ago". */
export function age(seconds) {
  if (!known(seconds)) return NONE;
  return seconds < 5 ? "just now" : `${roughly(seconds)} ago`;
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const timeOfDay = (date) => clock.format(date);
export const dateAndTime = (iso) => (iso ? day.format(new Date(iso)) : NONE);

const exact = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, timeZoneName: "short",
});

/** A time to the millisecond in the viewer's zone, and in UTC as logs of servers have it. */
export const exactTime = (iso) => (iso ? `${exact.format(new Date(iso))} (${new Date(iso).toISOString()})` : NONE);

const hourOfDay = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayOfMonth = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

/** A moment on an axis of time, in seconds since 1970: "14:05", and at midnight the day, "27 Nov". */
export function timeOnAxis(seconds) {
  const date = new Date(seconds * 1000);
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  return isMidnight ? dayOfMonth.format(date) : hourOfDay.format(date);
}

/** A code with spaces: "worker_lost" becomes "worker lost". */
export const words = (code) => (code ? String(code).replaceAll("_", " ") : NONE);

const TITLES = new Map(Object.entries({
  loss: "Training loss",
  val_loss: "Validation loss",
  top1_error: "Top-1 error",
  top5_error: "Top-5 error",
  train_top1_error: "Train top-1 error",
  train_top5_error: "Train top-5 error",
  learning_rate: "Learning rate",
  images_per_second: "Images/s",
}));

/** Whether a metric is the part of the images that is wrong, from 0 to 1. */
export const isErrorRate = (name) => name.endsWith("_error");

export function metricTitle(name) {
  if (TITLES.has(name)) return TITLES.get(name);
  const title = words(name);
  return title.charAt(0).toUpperCase() + title.slice(1);
}

/** A metric's title for values of the validation set, as checkpoints and results have. */
export const validationTitle = (name) => (name === "loss" ? TITLES.get("val_loss") : metricTitle(name));

/** A metric's value: errors are percentages, other metrics are plain numbers. */
export function namedMetric(name, value) {
  if (!known(value)) return typeof value === "string" ? value : NONE;
  if (isErrorRate(name)) return errorRate(value);
  if (name === "images_per_second") return rate(value);
  // From 2^53 on every number is whole: it is large, and counts nothing.
  return Number.isSafeInteger(value) ? count(value) : metric(value);
}
