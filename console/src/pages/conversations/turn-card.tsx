/* One turn: where its time went, what was looked up, called and asked of the LLM. */

import { Badge } from "../../ui/page";
import { showCount, showMs } from "../../ui/times";
import type { Exchange, Turn } from "./conversations";
import styles from "./turn-card.module.css";
import { nameStep, nameTurn, readLatency, readSteps, type Step } from "./waterfall";

interface Passage { source: string; page?: number | null; score: number; url?: string }
interface FunctionCall { name: string; arguments?: string; result?: string; ok?: boolean | string; ms?: number; finding?: string }

/** In words, who must act. */
const BLAME: Readonly<Record<string, string>> = { llm: "the LLM's fault", owner: "for you to mend", operator: "for the operator to mend", caller: "the caller's" };

export function TurnCard({ turn, exchanges = [] }: { turn: Turn; exchanges?: readonly Exchange[] }) {
  const { timings } = turn;
  const latencyS = readLatency(timings);
  const passages = (timings["passages"] ?? []) as unknown as Passage[];
  const calls = (timings["calls"] ?? []) as unknown as FunctionCall[];
  const failure = timings["failure"];
  const blame = timings["blame"];
  return (
    <li className={styles.turn} id={`turn-${turn.number}`}>
      <div className={styles.head}>
        <h3>{nameTurn(turn.number, timings)}</h3>
        {latencyS !== null && <Badge>Answered in {showMs(latencyS * 1000)}</Badge>}
        {typeof timings["llm"] === "string" && <Badge>{timings["llm"]}</Badge>}
        {typeof timings["interrupted_s"] === "number" && <Badge kind="accent">Interrupted</Badge>}
        {timings["retrieval"] === "late" && <Badge kind="warning">Knowledge came too late</Badge>}
        {failure && <Badge kind="danger">{String(failure)}{typeof blame === "string" && `, ${BLAME[blame] ?? blame}`}</Badge>}
      </div>
      <Waterfall steps={readSteps(timings)} />
      {passages.length > 0 && (
        <details>
          <summary>{showCount(passages.length, "passage")} of its knowledge</summary>
          <ol className={styles.details}>
            {passages.map(({ source, page, score }, n) => <li key={n}>{source}{page ? `, page ${page}` : ""} · {score.toFixed(2)}</li>)}
          </ol>
        </details>
      )}
      {calls.map((call, n) => (
        <details key={n}>
          <summary>Called {call.name}{call.ms !== undefined && `, ${showMs(call.ms)}`}{call.finding && `: ${call.finding}`}</summary>
          <div className={styles.details}>
            <pre className={styles.pre} tabIndex={0}>{call.arguments}</pre>
            <pre className={styles.pre} tabIndex={0}>{call.result}</pre>
          </div>
        </details>
      ))}
      {exchanges.map((exchange) => <ExchangeDetails key={exchange.id} exchange={exchange} />)}
    </li>
  );
}

function ExchangeDetails({ exchange }: { exchange: Exchange }) {
  const { llm, model, status, outcome, finding, firstTokenMs, totalMs, request, requestCut, response, responseCut } = exchange;
  const how = [finding ?? outcome, status && `status ${status}`, firstTokenMs !== null && `first word after ${showMs(firstTokenMs)}`, showMs(totalMs)].filter(Boolean);
  return (
    <details>
      <summary>Asked {llm}{model !== llm && model && ` (${model})`}: {how.join(", ")}</summary>
      <div className={styles.details}>
        <h4>Request{requestCut && " (its beginning)"}</h4>
        <pre className={styles.pre} tabIndex={0}>{typeof request === "string" ? request : JSON.stringify(request, null, 2)}</pre>
        <h4>Response{responseCut && " (its beginning)"}</h4>
        <pre className={styles.pre} tabIndex={0}>{response.content}{response.calls.map((call) => `\n${call.name}(${call.arguments})`)}</pre>
      </div>
    </details>
  );
}

/** A picture in one scale: each step where it lay between the end of the caller's words and the end of the reply. */
function Waterfall({ steps }: { steps: readonly Step[] }) {
  const wholeS = Math.max(...steps.map(({ endsS }) => endsS), 0);
  if (!wholeS) return null;
  // What is heard lasts for seconds and would press all else into a corner: it is cut off at the right.
  const shownS = Math.max(...steps.filter(({ name }) => name !== "heard").map(({ endsS }) => endsS), 0) * 1.15 || wholeS;
  return (
    <dl className={styles.waterfall}>
      {steps.map(({ name, beginsS, endsS }) => {
        const x = (100 * Math.min(beginsS, shownS)) / shownS;
        const width = Math.max(0.5, (100 * Math.min(endsS, shownS)) / shownS - x);
        return [
          <dt key={`${name} name`}>{nameStep(name)}</dt>,
          <dd key={`${name} bar`} className={styles.track} aria-hidden="true">
            <svg viewBox="0 0 100 10" preserveAspectRatio="none"><rect x={x} y={1} width={width} height={8} data-heard={name === "heard" || undefined} /></svg>
          </dd>,
          <dd key={`${name} time`} className={styles.ms}>{showMs((endsS - beginsS) * 1000)}</dd>,
        ];
      })}
    </dl>
  );
}
