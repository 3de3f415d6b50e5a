/* How soon the LLM's first words came, day by day: a small line. */

import { useQuery } from "@tanstack/react-query";

import { getJson, type Schemas } from "../../../api/client";
import { showDay, showMs } from "../../../ui/times";
import styles from "./first-words.module.css";
import { dotSpark, traceSpark } from "./spark";

const DAYS = 14;
const DAY_MS = 86_400_000;

export function FirstWords({ agentId }: { agentId: string }) {
  const report = useQuery({ queryKey: ["analytics", "first-words", agentId], staleTime: 60_000, queryFn: () => readReport(agentId) });
  const middles = report.data?.buckets.map(({ firstTokenMs }) => firstTokenMs.p50) ?? [];
  const median = report.data?.totals.firstTokenMs.p50 ?? null;
  if (median === null) return report.data ? <p className={styles.none}>No conversation in {DAYS} days; how soon its first words come in talk stands here then.</p> : null;
  const most = showMs(Math.max(...middles.map(Number)));
  return (
    <figure className={styles.words}>
      <figcaption>In conversations of the last {DAYS} days, half of its first words came within {showMs(median)}.</figcaption>
      <div className={styles.chart}>
        <svg className={styles.spark} viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label={`Day by day, at most ${most}`}>
          <path className={styles.base} d="M0 20H100" />
          <path d={traceSpark(middles)} />
          <path className={styles.dots} d={dotSpark(middles)} />
        </svg>
        <p className={styles.legend}><span>{showDay(report.data?.buckets[0]?.start ?? "")}</span><span>Slowest day: {most}</span><span>Today</span></p>
      </div>
    </figure>
  );
}

async function readReport(agentId: string): Promise<Schemas["AnalyticsView"]> {
  const now = Date.now();
  const query = new URLSearchParams({ agentId, bucket: "day", from: new Date(now - DAYS * DAY_MS).toISOString(), to: new Date(now).toISOString() });
  return await getJson<Schemas["AnalyticsView"]>(`/api/v1/analytics?${query}`);
}
