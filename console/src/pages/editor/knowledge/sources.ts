/* What an agent knows besides its text: files and web pages, and how far each is. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { getJson, type Schemas, send, sendJson } from "../../../api/client";

export type FileSource = Schemas["CriticalKnowledgeFile"];
export type PageSource = Schemas["KnowledgePage"];
export type Source = FileSource | PageSource;
export type Kind = "critical-knowledge-files" | "knowledge-pages";

const SOON_MS = 1000;
const UNDER_WAY: ReadonlySet<string> = new Set(["queued", "reading", "embedding"]);

export const isUnderWay = (source: Source): boolean => UNDER_WAY.has(source.state);

const keyOf = (agentId: string, kind: Kind) => ["agents", agentId, kind] as const;
const pathOf = (agentId: string, kind: Kind) => `/api/v1/agents/${agentId}/${kind}`;

/** Asked again each second while something is under way. */
export function useSources<Listed extends Source>(agentId: string, kind: Kind) {
  return useQuery({
    queryKey: keyOf(agentId, kind),
    queryFn: async () => await getJson<Listed[]>(pathOf(agentId, kind)),
    refetchInterval: ({ state }) => (state.data?.some(isUnderWay) ? SOON_MS : false),
  });
}

/** What changes sources: the list is asked for again afterwards. */
export function useSourceChanges(agentId: string, kind: Kind) {
  const queries = useQueryClient();
  const path = pathOf(agentId, kind);
  return useMutation({
    mutationFn: (change: (path: string) => Promise<unknown>) => change(path),
    onSettled: () => queries.invalidateQueries({ queryKey: keyOf(agentId, kind) }),
  });
}

export const upload = (file: File) => (path: string) => send(path, { method: "POST", body: formOf(file) });
export const replace = (id: string, file: File) => (path: string) => send(`${path}/${id}`, { method: "PUT", body: formOf(file) });
export const remove = (id: string) => (path: string) => send(`${path}/${id}`, { method: "DELETE" });
export const refresh = (id: string) => (path: string) => send(`${path}/${id}/refresh`, { method: "POST" });
export const addPage = (page: Schemas["NewKnowledgePage"]) => (path: string) => sendJson(path, "POST", page);

function formOf(file: File): FormData {
  const form = new FormData();
  form.append("file", file);
  return form;
}
