/* Two small charts, drawn here. The numbers are in a table for those who cannot see them. */

import type { ReactNode } from "react";

import styles from "./analytics.module.css";
import { roundUp } from "./scale";

const WIDTH = 100;
const HEIGHT = 40;
const DOT = 2;

interface ChartProps {
  labels: readonly string[];
  /** A number with its unit: "480 ms". */
  show: (value: number) => string;
}

/** A bar for each number. */
export function Bars({ labels, values, show, isBad }: ChartProps & { values: readonly number[]; isBad?: boolean }) {
  const most = Math.max(...values, 0);
  const step = WIDTH / Math.max(1, values.length);
  if (!most) return <Nothing>None in this time</Nothing>;
  const top = roundUp(most, values.every(Number.isInteger));
  return (
    <Chart labels={labels} top={top} show={show} name={`At most ${show(most)}`}>
      {values.map((value, n) => {
        const height = (HEIGHT * value) / top;
        return <rect key={n} className={styles.bar} data-kind={isBad ? "bad" : undefined} x={n * step + step * 0.2} width={step * 0.6} y={HEIGHT - height} height={height}><title>{`${labels[n]}: ${show(value)}`}</title></rect>;
      })}
    </Chart>
  );
}

/** Two lines over the same scale; where nothing was measured, a line pauses. */
export function Lines({ labels, middle, high, show }: ChartProps & { middle: readonly (number | null)[]; high: readonly (number | null)[] }) {
  const most = Math.max(0, ...middle.map(Number), ...high.map(Number));
  if (!most) return <Nothing>Nothing was measured in this time</Nothing>;
  const top = roundUp(most);
  const legend = <p className={styles.legend}><Key className={styles.lineA} />Half within<Key className={styles.lineB} />95 % within</p>;
  return (
    <Chart labels={labels} top={top} show={show} name={`Half are answered within this, and 95 of 100 within that: at most ${show(most)}`} legend={legend}>
      <path className={styles.lineB} d={trace(high, top)} />
      <path className={styles.lineA} d={trace(middle, top)} />
    </Chart>
  );
}

/** The drawing with its scale at the left and its times below. */
function Chart({ labels, top, show, name, legend, children }: ChartProps & { top: number; name: string; legend?: ReactNode; children: ReactNode }) {
  const times = labels.length > 2 ? [labels[0], labels[Math.floor(labels.length / 2)], labels.at(-1)] : labels;
  return (
    <figure className={styles.chart}>
      {legend}
      <div className={styles.scale} aria-hidden="true">{[top, top / 2, 0].map((value) => <span key={value}>{show(value)}</span>)}</div>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={name}>
        {[0, HEIGHT / 2, HEIGHT].map((y) => <line key={y} className={styles.rule} x1={0} x2={WIDTH} y1={y} y2={y} />)}
        {children}
      </svg>
      <figcaption className={styles.times}>{times.map((time, n) => <span key={n}>{time}</span>)}</figcaption>
    </figure>
  );
}

function Key({ className }: { className: string | undefined }) {
  return <svg className={styles.key} viewBox="0 0 18 4" aria-hidden="true"><path className={className} d="M1 2h16" /></svg>;
}

function Nothing({ children }: { children: ReactNode }) {
  return <p className={styles.none}>{children}</p>;
}

function trace(values: readonly (number | null)[], top: number): string {
  const step = WIDTH / Math.max(1, values.length);
  let isDown = false;
  return values.map((value, n) => {
    if (value === null) {
      isDown = false;
      return "";
    }
    const x = (n + 0.5) * step;
    const y = HEIGHT - (HEIGHT * value) / top;
    const isLone = !isDown && (values[n + 1] ?? null) === null; // it is seen, too
    const point = isLone ? `M${x - DOT / 2} ${y}h${DOT}` : `${isDown ? "L" : "M"}${x} ${y}`;
    isDown = true;
    return point;
  }).join("");
}
