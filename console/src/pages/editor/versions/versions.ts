/* What an agent was before each change that was saved. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { askJson, getJson } from "../../../api/client";
import { agentKey, refreshAgents, type Agent } from "../../agents/agents";

export interface Version {
  number: number;
  savedAt: string;
  /** The fields that differ from the version before. */
  changed: readonly string[];
}

const versionsOf = (id: string) => `/api/v1/agents/${id}/versions`;

/** The current one first. */
export function useVersions({ id }: Agent) {
  return useQuery({ queryKey: [...agentKey(id), "versions"], queryFn: async () => await getJson<Version[]>(versionsOf(id)) });
}

/** The agent as it was then; a version never changes. */
export function useVersion(id: string, number: number | undefined) {
  return useQuery({
    queryKey: [...agentKey(id), "versions", number],
    enabled: number !== undefined,
    staleTime: Infinity,
    queryFn: async () => await getJson<Record<string, unknown>>(`${versionsOf(id)}/${number}`),
  });
}

export function useRestore(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (number: number) => await askJson<Agent>(`${versionsOf(id)}/${number}/restore`, "POST", {}),
    onSuccess: () => refreshAgents(queries),
  });
}
