/* How loud a node is right now. */

const FAINTEST_DB = -60;
const LOUDEST_DB = -10;

export class Meter {
  readonly #analyser: AnalyserNode;
  readonly #samples: Float32Array<ArrayBuffer>;

  constructor(context: AudioContext, node: AudioNode) {
    this.#analyser = new AnalyserNode(context, { fftSize: 1024 });
    this.#samples = new Float32Array(this.#analyser.fftSize);
    node.connect(this.#analyser);
  }

  /** Decibels of the mean power, from 0 (faint) to 1 (loud). */
  get level(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, x) => sum + x * x, 0) / this.#samples.length;
    const db = 10 * Math.log10(power + 1e-9);
    return Math.max(0, Math.min(1, (db - FAINTEST_DB) / (LOUDEST_DB - FAINTEST_DB)));
  }
}
