// How two specifications differ.

/**
 * What one specification says other than another, as paths with both values; undefined is absent.
 * @returns {{path: string[], before: any, after: any}[]}
 */
export function changesBetween(before, after, path = []) {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return names.flatMap((name) => {
    const [one, other] = [before?.[name], after?.[name]];
    if (isMap(one) || isMap(other)) return changesBetween(isMap(one) ? one : {}, isMap(other) ? other : {}, [...path, name]);
    return JSON.stringify(one) === JSON.stringify(other) ? [] : [{ path: [...path, name], before: one, after: other }];
  });
}

export const isMap = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
