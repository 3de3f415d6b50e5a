/* The path of a small line, 100 wide and 20 high, and of the dots on it. Pure. */

const WIDTH = 100;
const HEIGHT = 20;

/** From 0 at the bottom to the most at the top; a day without a value is stepped over. */
export function traceSpark(values: readonly (number | null)[]): string {
  return place(values).map((point, n) => `${n ? "L" : "M"}${point}`).join("");
}

/** A dot for each day with a value: a lone one is seen, too. A line of no length has round ends. */
export function dotSpark(values: readonly (number | null)[]): string {
  return place(values).map((point) => `M${point}h0`).join("");
}

function place(values: readonly (number | null)[]): string[] {
  const most = Math.max(...values.map(Number), 0) || 1;
  const step = WIDTH / Math.max(1, values.length - 1);
  return values.flatMap((value, n) => (value === null ? [] : [`${round(n * step)} ${round(HEIGHT - (HEIGHT * value) / most)}`]));
}

const round = (value: number) => Math.round(value * 100) / 100;
