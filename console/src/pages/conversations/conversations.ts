/* Conversations of the account: found, read, rated, shared, deleted. */

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { getJson, type Schemas, send, sendJson } from "../../api/client";

export type Conversation = Schemas["RecordView"];
export type Line = Schemas["LineView"];
export type Turn = Schemas["TurnView"];
export type Exchange = Schemas["ExchangeView"];
export type Shared = Schemas["SharedView"];
export type Rating = Conversation["rating"];

/** Filters as they stand in the address of the page and in the query of the request. */
export const FILTERS = ["agentId", "from", "to", "endReason", "fault", "rating", "minSeconds", "query"] as const;
export type FilterName = (typeof FILTERS)[number];
export type Filters = Partial<Record<FilterName, string>>;

const PAGE_SIZE = 30;
const NEXT = "X-Next-Start-After";
const PATH = "/api/v1/conversations";
const KEY = ["conversations"] as const;
const UNDER_WAY_MS = 3000;

export function useConversations(filters: Filters) {
  return useInfiniteQuery({
    queryKey: [...KEY, filters],
    initialPageParam: "",
    queryFn: async ({ pageParam }) => {
      const query = new URLSearchParams({ ...filters, pageSize: String(PAGE_SIZE), ...(pageParam && { startAfter: pageParam }) });
      const response = await send(`${PATH}?${query}`);
      const rows = await response.json() as Conversation[];
      return { rows, next: rows.length < PAGE_SIZE ? null : response.headers.get(NEXT) || null };
    },
    getNextPageParam: ({ next }) => next,
  });
}

export function useConversation(id: string) {
  return useQuery({
    queryKey: [...KEY, id],
    queryFn: () => getJson<Conversation>(`${PATH}/${id}`),
    refetchInterval: ({ state }) => (state.data?.underWay ? UNDER_WAY_MS : false),
  });
}

/** The transcript and the turns; read again while the conversation lasts. */
export function useWords({ id, agentId, underWay }: Conversation) {
  const path = `/api/v1/agents/${agentId}/conversations/${id}`;
  const refetchInterval = underWay ? UNDER_WAY_MS : false;
  const transcript = useQuery({ queryKey: [...KEY, id, "transcript"], queryFn: () => getJson<Line[]>(`${path}/transcript`), refetchInterval });
  const turns = useQuery({ queryKey: [...KEY, id, "turns"], queryFn: () => getJson<Turn[]>(`${path}/turns`), refetchInterval });
  return { transcript, turns };
}

export function useExchanges(id: string) {
  return useQuery({ queryKey: [...KEY, id, "exchanges"], queryFn: () => getJson<Exchange[]>(`${PATH}/${id}/exchanges`) });
}

export function useShared(token: string) {
  return useQuery({ queryKey: ["shared", token], queryFn: () => getJson<Shared>(`/api/v1/shared/${token}`) });
}

export const recordingOf = (id: string): string => `${PATH}/${id}/recording`;
export const sharedRecordingOf = (token: string): string => `/api/v1/shared/${token}/recording`;
export const exportOf = (id: string): string => `${PATH}/${id}/export`;

function useChange<Asked>(change: (asked: Asked) => Promise<unknown>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => queries.invalidateQueries({ queryKey: KEY }) });
}

export const useRate = (id: string) => useChange((rating: Rating) => sendJson(`${PATH}/${id}/rating`, "PUT", { rating }));
export const useShare = (id: string) => useChange((isShared: boolean) => (isShared ? sendJson(`${PATH}/${id}/share`, "POST", {}) : send(`${PATH}/${id}/share`, { method: "DELETE" })));

/** What was read of it is not asked for again: it is gone, and a page of it may still be shown. */
export function useDeleteConversation() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => send(`${PATH}/${id}`, { method: "DELETE" }),
    onSuccess: (_, id) => queries.invalidateQueries({ queryKey: KEY, predicate: ({ queryKey }) => queryKey[1] !== id }),
  });
}
