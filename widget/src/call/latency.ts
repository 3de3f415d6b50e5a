/* How long the caller waited: from the end of their speech to the first sound of the answer.
 *
 * Both ends are measured here, so the network's way there and back is in it, as the caller feels
 * it. Pure: times are handed in, in seconds on one clock.
 */

const MAX_WAIT_S = 60; // what takes longer was no answer to that

/** When the caller was last loud, by blocks of sound. Speech stands out of the noise around it. */
export class Loudness {
  /** When the caller was last loud enough to be speaking; null if never. */
  lastLoudS: number | null = null;
  #floorDb = -70;

  /** `power` is the mean square of a block that ended at `atS` and lasted `lastsS`. */
  hear(power: number, atS: number, lastsS: number): void {
    const db = 10 * Math.log10(power + 1e-9);
    // The floor follows silence at once, and speech so slowly that a sentence does not raise it.
    this.#floorDb = Math.min(db, this.#floorDb + 3 * lastsS);
    if (db > Math.max(this.#floorDb + 12, -55)) this.lastLoudS = atS;
  }
}

/** Puts the end of a turn and the sound of its answer together. */
export class Latency {
  #sinceS: number | null = null;

  /** The caller's turn is over, and nothing of the answer was heard yet. */
  get isWaiting(): boolean {
    return this.#sinceS !== null;
  }

  /** The caller's turn is over; they fell silent, or sent a line, at `atS`. */
  turnEnded(atS: number): void {
    this.#sinceS = atS;
  }

  /** The caller goes on: what was taken for an ending was none. */
  turnGoesOn(): void {
    this.#sinceS = null;
  }

  /** Sound of a reply comes out at `atS`. Seconds waited; null if nobody waited for it. */
  answered(atS: number): number | null {
    if (this.#sinceS === null) return null;
    const waitedS = atS - this.#sinceS;
    this.#sinceS = null;
    return waitedS >= 0 && waitedS <= MAX_WAIT_S ? waitedS : null;
  }
}
