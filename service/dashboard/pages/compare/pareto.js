// The Pareto front of costs and errors.

/**
 * The points that no other one beats in both, by cost.
 * @template {{cost: number, error: number}} P
 * @param {P[]} points
 * @returns {P[]}
 */
export function paretoFront(points) {
  const byCost = [...points].sort((one, other) => one.cost - other.cost || one.error - other.error);
  let least = Infinity;
  return byCost.filter(({ error }) => {
    const isBetter = error < least;
    least = Math.min(least, error);
    return isBetter;
  });
}
