/* How much was talked, how fast it was answered, and what failed. */

import { useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "wouter";

import { getJson, type Schemas } from "../../api/client";
import { LinkButton } from "../../ui/button";
import { Curl } from "../../ui/copy";
import { SelectField } from "../../ui/field";
import { Card, Empty, Failure, Page, Waiting } from "../../ui/page";
import { Table } from "../../ui/table";
import { showMs } from "../../ui/times";
import { useAgents } from "../agents/agents";
import styles from "./analytics.module.css";
import { Bars, Lines } from "./charts";

type Figures = Schemas["FiguresView"];
type Report = Schemas["AnalyticsView"];

const TICK = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const PERIODS = [["1", "The last day"], ["7", "The last week"], ["30", "The last month"], ["365", "The last year"]] as const;
const DAY_MS = 86_400_000;
const FAULTS = [["llm", "the LLM's"], ["owner", "yours"], ["operator", "the operator's"], ["caller", "the caller's"]] as const;

export default function Analytics() {
  const [search, setSearch] = useSearchParams();
  const days = search.get("days") ?? "7";
  const agentId = search.get("agentId") ?? "";
  const report = useReport(Number(days), agentId);
  const agents = useAgents();
  const set = (name: string, value: string) => setSearch((before) => {
    const after = new URLSearchParams(before);
    after.set(name, value);
    return after;
  }, { replace: true });
  return (
    <Page title="Analytics">
      <search className={styles.filters}>
        <SelectField label="When" value={days} onChange={(event) => set("days", event.target.value)}>{PERIODS.map(([value, words]) => <option key={value} value={value}>{words}</option>)}</SelectField>
        <SelectField label="Agent" value={agentId} onChange={(event) => set("agentId", event.target.value)}>
          <option value="">Every agent</option>
          {agents.data?.map(({ id, displayName }) => <option key={id} value={id}>{displayName}</option>)}
        </SelectField>
      </search>
      <Failure error={report.error} />
      {report.isPending && <Waiting what="Counting…" />}
      {report.data && (report.data.totals.conversations === 0 ? <Nothing /> : <Shown report={report.data} />)}
    </Page>
  );
}

function useReport(days: number, agentId: string) {
  return useQuery({
    queryKey: ["analytics", days, agentId],
    queryFn: async () => {
      const now = Date.now();
      const query = new URLSearchParams({
        from: new Date(now - days * DAY_MS).toISOString(), to: new Date(now).toISOString(),
        bucket: days <= 1 ? "hour" : "day", ...(agentId && { agentId }),
      });
      return await getJson<Report>(`/api/v1/analytics?${query}`);
    },
  });
}

function Nothing() {
  return (
    <Empty title="Nobody talked">
      <p>In this time there was no conversation. Talk to an agent, and its figures stand here.</p>
      <LinkButton href="/" kind="primary">Talk to your agent</LinkButton>
      <Curl path="/api/v1/analytics?bucket=day" />
    </Empty>
  );
}

const showCount = (value: number) => value.toLocaleString();
const showMaybe = (ms: number | null) => (ms === null ? "–" : showMs(ms));
const countFailures = ({ failures }: Figures) => failures.caller + failures.owner + failures.llm + failures.operator;

function Shown({ report: { totals, buckets, perAgent, bucket } }: { report: Report }) {
  const labels = buckets.map(({ start }) => (bucket === "hour" ? new Date(start).toLocaleTimeString(undefined, { timeStyle: "short" }) : TICK.format(new Date(start))));
  const of = (read: (figures: Figures) => number) => buckets.map(read);
  return (
    <>
      <Totals totals={totals} />
      <div className={styles.charts}>
        <Card title="Conversations"><Bars labels={labels} values={of((each) => each.conversations)} show={showCount} /></Card>
        <Card title="Minutes talked"><Bars labels={labels} values={of((each) => each.minutes)} show={(value) => value.toFixed(1)} /></Card>
        <Card title="Time to the answer"><Lines labels={labels} middle={buckets.map((each) => each.latencyMs.p50)} high={buckets.map((each) => each.latencyMs.p95)} show={showMs} /></Card>
        <Card title="The LLM's first word"><Lines labels={labels} middle={buckets.map((each) => each.firstTokenMs.p50)} high={buckets.map((each) => each.firstTokenMs.p95)} show={showMs} /></Card>
        <Card title="Interruptions"><Bars labels={labels} values={of((each) => each.interruptions)} show={showCount} /></Card>
        <Card title="Failures"><Bars isBad labels={labels} values={of(countFailures)} show={showCount} /></Card>
      </div>
      <Table label="Per agent" heads={["Agent", "#Conversations", "#Minutes", "#Half within", "#95 % within", "#Interruptions", "#Failures"]}>
        {perAgent.map((each) => (
          <tr key={each.agentId}>
            <td><Link href={`/conversations?agentId=${each.agentId}`}>{each.agentName}</Link></td>
            <td data-number data-label="Conversations">{showCount(each.conversations)}</td>
            <td data-number data-label="Minutes">{each.minutes.toFixed(1)}</td>
            <td data-number data-label="Half within">{showMaybe(each.latencyMs.p50)}</td>
            <td data-number data-label="95 % within">{showMaybe(each.latencyMs.p95)}</td>
            <td data-number data-label="Interruptions">{showCount(each.interruptions)}</td>
            <td data-number data-label="Failures">{showCount(countFailures(each))}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}

function Totals({ totals }: { totals: Figures }) {
  const blamed = FAULTS.flatMap(([fault, whose]) => (totals.failures[fault] ? [`${totals.failures[fault]} ${whose}`] : []));
  const shown: readonly (readonly [string, string, string?])[] = [
    ["Conversations", showCount(totals.conversations)],
    ["Minutes", totals.minutes.toFixed(1)],
    ["Half answered within", showMaybe(totals.latencyMs.p50)],
    ["95 % answered within", showMaybe(totals.latencyMs.p95)],
    ["Interruptions", showCount(totals.interruptions)],
    ["Failures", showCount(countFailures(totals)), blamed.join(", ")],
  ];
  return <dl className={styles.totals}>{shown.map(([name, value, note]) => <div key={name} className={styles.total}><dt>{name}</dt><dd>{value}</dd>{note && <dd className={styles.note}>{note}</dd>}</div>)}</dl>;
}
