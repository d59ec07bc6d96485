// Results beyond the first page: fetched as they are wanted, and put behind what is there.

import { MOST } from "./state.js";

const AT_ONCE = 200; // the server gives so many

/** How many to ask for first, of so many that are wanted. */
export const first = (wanted) => Math.min(wanted, AT_ONCE);

export class Feed {
  /**
   * @param taken how many are shown already
   * @param ended whether these are all
   * @param next `(offset, k)`: resolves to the page from there on
   * @param add called with each page
   */
  constructor(taken, ended, next, add) {
    Object.assign(this, { taken, ended, next, add, wanted: taken, running: null });
  }

  /** Fetch until so many are shown, or all; where that goes on already, it goes on further. */
  upTo(wanted) {
    this.wanted = wanted;
    this.running ??= this.run().finally(() => { this.running = null; });
    return this.running;
  }

  async run() {
    while (!this.ended && this.taken < this.wanted) {
      const k = first(this.wanted - this.taken);
      const page = await this.next(this.taken, k);
      this.taken += page.length;
      this.ended = page.length < k || this.taken >= MOST;
      this.add(page);
    }
  }
}
