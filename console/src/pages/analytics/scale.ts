/* Where the scale of a chart ends. */

const STEPS = [1, 2, 4, 6, 8, 10] as const;

/** The least number from `most` on that is short, and whose half is; with `isWhole`, a whole number. */
export function roundUp(most: number, isWhole = false): number {
  const least = isWhole ? Math.max(most, 2) : most;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * (STEPS.find((step) => step * power >= least) ?? 10);
}
