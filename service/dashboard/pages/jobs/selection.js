// The jobs that are selected: some by their ids, or all that match the view.

import { signal } from "../../vendor/preact.js";

/**
 * @typedef {object} Chosen
 * @property {Set<string>} ids
 * @property {string | null} filter The filters of the view of which all jobs are selected; null: only `ids`.
 */

const NOTHING = { ids: new Set(), filter: null };

export class Selection {
  /** @type {import("../../vendor/preact.js").Signal<Chosen>} */
  chosen = signal(NOTHING);
  /** The place from which a selection with shift goes. */
  #anchor = null;

  has(id) {
    return this.chosen.value.filter !== null || this.chosen.value.ids.has(id);
  }

  get isEmpty() {
    return this.chosen.value.filter === null && this.chosen.value.ids.size === 0;
  }

  /** Selects a job or no longer; of all that match, those of `presentIds()` stay but for it. */
  toggle(id, place, presentIds) {
    const ids = new Set(this.chosen.value.filter === null ? this.chosen.value.ids : presentIds());
    if (!ids.delete(id)) ids.add(id);
    this.#anchor = place;
    this.chosen.value = { ids, filter: null };
  }

  /** The places from the last one that was selected to `place`; just `place` if there is none. */
  rangeTo(place) {
    const from = this.#anchor ?? place;
    return { from: Math.min(from, place), to: Math.max(from, place) + 1 };
  }

  add(ids) {
    this.chosen.value = { ids: new Set([...this.chosen.value.ids, ...ids]), filter: null };
  }

  /** Selects all jobs of a view, those too that are not read yet. */
  addAll(filter) {
    this.chosen.value = { ids: new Set(), filter };
  }

  clear() {
    this.#anchor = null;
    this.chosen.value = NOTHING;
  }
}
