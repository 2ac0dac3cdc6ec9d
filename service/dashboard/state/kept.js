// What this browser keeps between visits, such as the columns of a list.

const PREFIX = "trainyard-";

/** The value that is kept under a name; null if there is none, or the browser stores nothing. */
export function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

/** Keeps a value as JSON; a browser that stores nothing keeps it for no longer than the page. */
export function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch (error) {
    console.warn(`${name} is not kept: ${error.message}`);
  }
}
