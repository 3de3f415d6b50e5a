import { describe, expect, it } from "vitest";
import { Latency, Loudness } from "../src/call/latency";

const BLOCK_S = 0.02;

/** Lets `loudness` hear stretches of [seconds, decibels]. */
function hear(loudness: Loudness, ...stretches: [number, number][]): number {
  let atS = 0;
  for (const [seconds, db] of stretches)
    for (let n = 0; n < Math.round(seconds / BLOCK_S); n += 1) loudness.hear(10 ** (db / 10), (atS += BLOCK_S), BLOCK_S);
  return atS;
}

describe("loudness", () => {
  it("dates the end of speech", () => {
    const loudness = new Loudness();
    hear(loudness, [1, -80], [2, -25], [1, -80]);
    expect(loudness.lastLoudS).toBeCloseTo(3, 1);
  });

  it("takes steady noise for silence, and hears speech above it", () => {
    const loudness = new Loudness();
    hear(loudness, [10, -45]);
    const noiseS = loudness.lastLoudS ?? 0;
    hear(loudness, [2, -45]);
    expect(loudness.lastLoudS ?? 0).toBe(noiseS); // the second stretch was none
  });

  it("does not take a long sentence for noise", () => {
    const loudness = new Loudness();
    hear(loudness, [1, -75], [8, -20]);
    expect(loudness.lastLoudS).toBeCloseTo(9, 1);
  });

  it("is null before a sound", () => {
    expect(new Loudness().lastLoudS).toBeNull();
  });
});

describe("latency", () => {
  it("runs from the end of a turn to the first sound, once", () => {
    const latency = new Latency();
    latency.turnEnded(10);
    expect(latency.isWaiting).toBe(true);
    expect(latency.answered(10.8)).toBeCloseTo(0.8);
    expect(latency.answered(12)).toBeNull();
  });

  it("does not count a turn that went on", () => {
    const latency = new Latency();
    latency.turnEnded(10);
    latency.turnGoesOn();
    expect(latency.answered(11)).toBeNull();
  });

  it("does not count what cannot be an answer", () => {
    const latency = new Latency();
    latency.turnEnded(10);
    expect(latency.answered(9)).toBeNull();
    latency.turnEnded(10);
    expect(latency.answered(100)).toBeNull();
  });
});
