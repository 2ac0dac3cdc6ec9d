// What the charts of a page share: the part of the x axis that is shown, and the cursor.

import { signal } from "../vendor/preact.js";

let views = 0;

/** One for all charts that have the same x axis. */
export class ChartView {
  /** @type {import("../vendor/preact.js").Signal<[number, number] | null>} */
  range = signal(null);
  #earlier = [];
  #key = `charts-${(views += 1)}`;

  /** By which uPlot links the cursors of charts. */
  get key() {
    return this.#key;
  }

  /** Shows a part of the x axis in every chart. */
  zoom(from, to) {
    this.#earlier.push(this.range.peek());
    this.range.value = [from, to];
  }

  /** Shows what was shown before the last zoom. */
  back() {
    this.range.value = this.#earlier.pop() ?? null;
  }

  /** Shows all, as another x axis needs it. */
  reset() {
    this.#earlier = [];
    this.range.value = null;
  }
}
