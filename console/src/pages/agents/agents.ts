/* The agents of the account, and what can be done with one from a list. */

import { useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";

import { api, askJson, type Schemas, send, sendJson, take } from "../../api/client";

export type Agent = Schemas["AgentView"];

export const VISIBILITY: Readonly<Record<Agent["visibility"], string>> = { public: "Public", unlisted: "Unlisted", private: "Private" };
export type NewAgent = Schemas["NewAgent"];

const AGENTS = ["agents"] as const;
const PAGE_SIZE = 500;

export const agentKey = (id: string) => ["agents", id] as const;

export function useAgents() {
  return useQuery({
    queryKey: AGENTS,
    queryFn: () => take(api.GET("/api/v1/agents", { params: { query: { pageSize: PAGE_SIZE } } })),
  });
}

export function useAgent(id: string) {
  return useQuery({
    queryKey: agentKey(id),
    queryFn: () => take(api.GET("/api/v1/agents/{agentId}", { params: { path: { agentId: id } } })),
  });
}

export function useNewAgent() {
  return useChange(async (made: NewAgent) => await askJson<Agent>("/api/v1/agents", "POST", made));
}

export function useDuplicate() {
  return useChange(async (id: string) => await askJson<Agent>(`/api/v1/agents/${id}/duplicate`, "POST", {}));
}

export function useDelete() {
  return useChange((id: string) => send(`/api/v1/agents/${id}`, { method: "DELETE" }));
}

/** Takes a deletion back; the server allows it for some minutes. */
export function useUndelete() {
  return useChange((id: string) => sendJson(`/api/v1/agents/${id}/undelete`, "POST", {}));
}

function useChange<Asked, Got>(mutationFn: (asked: Asked) => Promise<Got>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn, onSuccess: () => refreshAgents(queries) });
}

export const refreshAgents = (queries: QueryClient) => queries.invalidateQueries({ queryKey: AGENTS });
