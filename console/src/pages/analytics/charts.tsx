/* Two small charts, drawn here. The numbers are in a table for those who cannot see them. */

import type { ReactNode } from "react";

import styles from "./analytics.module.css";

const WIDTH = 100;
const HEIGHT = 40;
const DOT = 2;

interface ChartProps {
  labels: readonly string[];
  /** What the numbers are, with their unit: "42 conversations". */
  show: (value: number) => string;
}

/** A bar for each number. */
export function Bars({ labels, values, show, isBad }: ChartProps & { values: readonly number[]; isBad?: boolean }) {
  const most = Math.max(...values, 0);
  const step = WIDTH / Math.max(1, values.length);
  if (!most) return <p className={styles.none}>None in this time.</p>;
  return (
    <figure className={styles.chart}>
      <Most>{show(most)}</Most>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`At most ${show(most)}`}>
        <line className={styles.base} x1={0} x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        {values.map((value, n) => {
          const height = (HEIGHT * value) / most;
          return <rect key={n} className={styles.bar} data-kind={isBad ? "bad" : undefined} x={n * step + step * 0.1} width={step * 0.8} y={HEIGHT - height} height={height}><title>{`${labels[n]}: ${show(value)}`}</title></rect>;
        })}
      </svg>
      <Legend labels={labels} />
    </figure>
  );
}

/** Two lines over the same scale; where nothing was measured, a line pauses. */
export function Lines({ labels, middle, high, show }: ChartProps & { middle: readonly (number | null)[]; high: readonly (number | null)[] }) {
  const most = Math.max(0, ...middle.map(Number), ...high.map(Number));
  if (!most) return <p className={styles.none}>Nothing was measured in this time.</p>;
  return (
    <figure className={styles.chart}>
      <Most>{show(most)} · line: half are faster, dashed: 95 of 100</Most>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`The median, and what 95 of 100 are faster than: at most ${show(most)}`}>
        <line className={styles.base} x1={0} x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        <path className={styles.lineB} d={trace(high, most)} />
        <path className={styles.lineA} d={trace(middle, most)} />
      </svg>
      <Legend labels={labels} />
    </figure>
  );
}

function trace(values: readonly (number | null)[], most: number): string {
  const step = WIDTH / Math.max(1, values.length);
  let isDown = false;
  return values.map((value, n) => {
    if (value === null) {
      isDown = false;
      return "";
    }
    const x = (n + 0.5) * step;
    const y = HEIGHT - (HEIGHT * value) / most;
    const isLone = !isDown && (values[n + 1] ?? null) === null; // it is seen, too
    const point = isLone ? `M${x - DOT / 2} ${y}h${DOT}` : `${isDown ? "L" : "M"}${x} ${y}`;
    isDown = true;
    return point;
  }).join("");
}

/** What the top of the chart stands for. */
function Most({ children }: { children: ReactNode }) {
  return <p className={styles.legend}><span>Top: {children}</span></p>;
}

function Legend({ labels }: { labels: readonly string[] }) {
  return <figcaption className={styles.legend}><span>{labels[0]}</span><span>{labels.at(-1)}</span></figcaption>;
}
