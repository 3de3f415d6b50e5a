/* All conversations, with filters that stand in the address. */

import { Link, useSearchParams } from "wouter";

import { Button, LinkButton } from "../../ui/button";
import { Curl } from "../../ui/copy";
import { SelectField, TextField } from "../../ui/field";
import { Icon } from "../../ui/icons";
import { Badge, Empty, Failure, Page, Waiting } from "../../ui/page";
import { Table } from "../../ui/table";
import { showAgo, showLength, showMoment } from "../../ui/times";
import { useAgents } from "../agents/agents";
import { FILTERS, useConversations, type Conversation, type FilterName, type Filters } from "./conversations";
import styles from "./list.module.css";

const END_REASONS = [
  ["under_way", "Under way"], ["caller_left", "The caller hung up"], ["agent_done", "The agent hung up"], ["transferred", "Handed on"], ["silence", "Nobody spoke"],
  ["time_up", "It took too long"], ["line_lost", "The line was lost"], ["failed", "It failed"], ["server_stopped", "The server stopped"],
] as const;
const FAULTS = [["llm", "The LLM's fault"], ["owner", "Your fault"], ["operator", "The operator's fault"], ["caller", "The caller's fault"]] as const;
/** The filters that are folded away. */
const MORE: readonly FilterName[] = ["endReason", "fault", "rating", "from", "to", "minSeconds"];
const RATINGS = [["up", "Thumbs up"], ["down", "Thumbs down"], ["none", "Not rated"]] as const;

export default function Conversations() {
  const [search, setSearch] = useSearchParams();
  const filters = Object.fromEntries(FILTERS.flatMap((name) => (search.get(name) ? [[name, search.get(name)]] : []))) as Filters;
  const found = useConversations(filters);
  const rows = found.data?.pages.flatMap((page) => page.rows) ?? [];
  const isFiltered = Object.keys(filters).length > 0;
  const set = (name: FilterName, value: string) => setSearch((before) => {
    const after = new URLSearchParams(before);
    if (value) after.set(name, value);
    else after.delete(name);
    return after;
  }, { replace: true });
  return (
    <Page title="Conversations">
      <FilterFields filters={filters} onChange={set} />
      <Failure error={found.error} />
      {found.isPending && <Waiting what="Loading the conversations…" />}
      {found.data && rows.length === 0 && (isFiltered
        ? <Empty title="No such conversation"><p>None fits these filters.</p><Button onClick={() => setSearch({})}>Show all</Button></Empty>
        : (
          <Empty title="No conversations yet">
            <p>Talk to an agent, and what was said stands here, with its sound and where the time went.</p>
            <LinkButton href="/" kind="primary">Talk to your agent</LinkButton>
            <Curl path="/api/v1/conversations" />
          </Empty>
        ))}
      {rows.length > 0 && (
        <Table label="Conversations" heads={["Conversation", "Began", "#Length", "#Turns", "How it ended"]}>
          {rows.map((row) => <Row key={row.id} shown={row} />)}
        </Table>
      )}
      {found.hasNextPage && <div><Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>Show more</Button></div>}
    </Page>
  );
}

function FilterFields({ filters, onChange }: { filters: Filters; onChange: (name: FilterName, value: string) => void }) {
  const agents = useAgents();
  const choice = (name: FilterName, label: string, all: string, options: readonly (readonly [string, string])[]) => (
    <SelectField label={label} value={filters[name] ?? ""} onChange={(event) => onChange(name, event.target.value)}>
      <option value="">{all}</option>
      {options.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
    </SelectField>
  );
  return (
    <search className={styles.filters}>
      <div className={styles.search}><TextField label="Search" type="search" placeholder="Words, or a caller" value={filters.query ?? ""} onChange={(event) => onChange("query", event.target.value)} /></div>
      {choice("agentId", "Agent", "Every agent", (agents.data ?? []).map(({ id, displayName }) => [id, displayName]))}
      <details className={styles.more} open={MORE.some((name) => filters[name]) || undefined}>
        <summary>More filters</summary>
        <div className={styles.filters}>
          {choice("endReason", "How it ended", "Any ending", END_REASONS)}
          {choice("fault", "Failure", "With or without", FAULTS)}
          {choice("rating", "Rating", "Any rating", RATINGS)}
          <TextField label="From" type="date" value={filters.from ?? ""} onChange={(event) => onChange("from", event.target.value)} />
          <TextField label="Before" type="date" value={filters.to ?? ""} onChange={(event) => onChange("to", event.target.value)} />
          <TextField label="At least (seconds)" type="number" min={0} value={filters.minSeconds ?? ""} onChange={(event) => onChange("minSeconds", event.target.value)} />
        </div>
      </details>
    </search>
  );
}

function Row({ shown }: { shown: Conversation }) {
  const { id, opening, agentName, startedAt, durationInSeconds, turns, endReasonInWords, underWay, faults, rating } = shown;
  return (
    <tr>
      <td>
        <Link href={`/conversations/${id}`} className={styles.opening}>
          <span>{opening || "Nothing was said"}</span>
          <span className={styles.agent}>{agentName}</span>
        </Link>
      </td>
      <td data-short data-label="Began" title={showMoment(startedAt)}>{showAgo(startedAt)}</td>
      <td data-number data-label="Length">{durationInSeconds === null ? "–" : showLength(durationInSeconds)}</td>
      <td data-number data-label="Turns">{turns}</td>
      <td data-label="How it ended">
        {underWay ? <Badge kind="accent">Under way</Badge> : endReasonInWords}{" "}
        {faults.length > 0 && <Badge kind="danger">Failed</Badge>}{" "}
        {rating && <Badge><Icon name={rating === "up" ? "good" : "bad"} size={14} />{rating === "up" ? "Good" : "Bad"}</Badge>}
      </td>
    </tr>
  );
}
