// The token of a server that needs one: kept in this browser, sent with each call.

const KEY = "trainyard-token";

/** The token that is stored for this server; null if there is none, or the browser stores nothing. */
export function storedToken() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** The headers of a call with a token; none without one. */
export const authorization = (token = storedToken()) => (token ? { Authorization: `Bearer ${token}` } : {});

/** Keeps a token; throws if the browser stores nothing. */
export const keepToken = (token) => localStorage.setItem(KEY, token);

export const forgetToken = () => localStorage.removeItem(KEY);
