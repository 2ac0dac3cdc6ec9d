// Smooth lines of noisy series.

/**
 * The exponential moving average of values, without the pull of its start towards zero (Kingma and Ba
 * 2015, section 3). A value that is null or undefined has none, and breaks nothing.
 * @param {(number | null | undefined)[]} values
 * @param {number} weight Of what came before, from 0 (the values themselves) to below 1.
 */
export function smoothed(values, weight) {
  if (!weight) return values;
  let average = 0;
  let remaining = 1;
  return values.map((value) => {
    if (value === null || value === undefined) return value;
    average = average * weight + value * (1 - weight);
    remaining *= weight;
    return average / (1 - remaining);
  });
}
