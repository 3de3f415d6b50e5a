/* MCP servers whose tools the agent may call, allowed one by one. */

import { useMutation } from "@tanstack/react-query";

import { askJson, type Schemas } from "../../../api/client";
import { Button } from "../../../ui/button";
import { TextField, Toggle } from "../../../ui/field";
import { Badge, Card, Failure, Notice } from "../../../ui/page";
import { showMs } from "../../../ui/times";
import { useDraft, type Changes } from "../draft";
import editor from "../editor.module.css";
import { FindingList } from "../llm/findings";
import { MapField } from "../llm/server";
import styles from "./actions.module.css";

type Report = Schemas["McpCheckView"];
interface Server {
  name: string;
  url?: string | null;
  command?: string | null;
  headers?: Record<string, string> | null;
  tools: string[];
  timeoutSeconds?: number | null;
}

const MOST_SERVERS = 8;

export function McpServers() {
  const { value, set, errorOf } = useDraft();
  const servers = value("mcpServers") as unknown as Server[];
  const setAll = (next: Server[]) => set("mcpServers", next as Changes["mcpServers"]);
  const setOne = (n: number, next: Server) => setAll(servers.map((each, at) => (at === n ? next : each)));
  return (
    <Card side title="MCP servers">
      {servers.length === 0 && <p>Connect a server that speaks the Model Context Protocol, and choose which of its tools the agent may use.</p>}
      {servers.map((server, n) => (
        <McpServer key={n} server={server} error={errorOf(`mcpServers.${n}`)} onChange={(next) => setOne(n, next)} onRemove={() => setAll(servers.filter((_, at) => at !== n))} />
      ))}
      {servers.length < MOST_SERVERS && <div><Button onClick={() => setAll([...servers, { name: `server${servers.length + 1}`, url: "", tools: [] }])}>Add a server</Button></div>}
    </Card>
  );
}

interface McpServerProps {
  server: Server;
  error: string;
  onChange: (server: Server) => void;
  onRemove: () => void;
}

function McpServer({ server, error, onChange, onRemove }: McpServerProps) {
  const { agent } = useDraft();
  const check = useMutation({
    mutationFn: async () => await askJson<Report>("/api/v1/mcp-checks", "POST", { ...withoutNulls(server), agentId: agent.id }),
  });
  const offered = check.data?.tools ?? [];
  const names = [...new Set([...offered.map(({ name }) => name), ...server.tools])];
  const allow = (name: string, isAllowed: boolean) => onChange({ ...server, tools: isAllowed ? [...server.tools, name] : server.tools.filter((each) => each !== name) });
  return (
    <div className={styles.server}>
      <div className={editor.columns}>
        <TextField label="Name" mono required value={server.name} error={error} onChange={(event) => onChange({ ...server, name: event.target.value })} />
        {server.command != null
          ? <TextField label="Command" note="One of those that the operator of this server allows." mono value={server.command} onChange={(event) => onChange({ ...server, command: event.target.value })} />
          : <TextField label="Address" type="url" mono placeholder="https://mcp.example.com/mcp" value={server.url ?? ""} onChange={(event) => onChange({ ...server, url: event.target.value })} />}
      </div>
      {server.command == null && <MapField label="Headers" note="One a line, as Name: value." between=": " value={server.headers ?? {}} error="" onChange={(headers) => onChange({ ...server, headers })} />}
      <div className={editor.buttons}>
        <Button busy={check.isPending} onClick={() => check.mutate()}>Connect and list its tools</Button>
        <Button kind="danger" onClick={onRemove}>Remove</Button>
      </div>
      <div aria-live="polite" className={editor.stack}>
        <Failure error={check.error} />
        {check.data && <Notice kind={check.data.ok ? "good" : "danger"}><p>{check.data.ok ? `Connected to ${check.data.server} ${check.data.version} in ${showMs(check.data.ms)}.` : "It could not be used."}</p></Notice>}
        {check.data && check.data.findings.length > 0 && <FindingList findings={check.data.findings} />}
      </div>
      {names.length > 0 && (
        <fieldset className={styles.tools}>
          <legend>Tools it may call</legend>
          {names.map((name) => {
            const tool = offered.find((each) => each.name === name);
            return (
              <Toggle
                key={name} checked={server.tools.includes(name)} note={tool?.description}
                label={<>{name} {tool?.destructive && <Badge kind="warning">Asks first</Badge>}</>}
                onChange={(event) => allow(name, event.target.checked)}
              />
            );
          })}
        </fieldset>
      )}
    </div>
  );
}

function withoutNulls(server: Server): object {
  return Object.fromEntries(Object.entries(server).filter(([, value]) => value !== null && value !== ""));
}
