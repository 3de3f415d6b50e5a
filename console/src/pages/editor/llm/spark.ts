/* The path of a small line, 100 wide and 20 high. Pure. */

const WIDTH = 100;
const HEIGHT = 20;

/** From 0 at the bottom to the most at the top; a day without a value is stepped over. */
export function traceSpark(values: readonly (number | null)[]): string {
  const most = Math.max(...values.map(Number), 0) || 1;
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.flatMap((value, n) => (value === null ? [] : [`${round(n * step)} ${round(HEIGHT - (HEIGHT * value) / most)}`]));
  if (points.length === 1) return `M${points[0]}h2`; // a lone point is seen, too
  return points.map((point, n) => `${n ? "L" : "M"}${point}`).join("");
}

const round = (value: number) => Math.round(value * 100) / 100;
