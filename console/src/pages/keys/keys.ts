/* The API keys of the account. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { askJson, getJson, send } from "../../api/client";

export interface Key {
  id: string;
  name: string;
  /** The last four characters. */
  tail: string;
  createdAt: string;
  lastUsedAt: string | null;
  revokedAt: string | null;
}

/** A key just made; the only time it is seen. */
export type NewKey = Key & { apiKey: string };

const PATH = "/api/v1/api-keys";
const KEYS = ["api-keys"] as const;

export function useApiKeys() {
  return useQuery({ queryKey: KEYS, queryFn: async () => await getJson<Key[]>(PATH) });
}

export function useNewKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (name: string) => await askJson<NewKey>(PATH, "POST", { name }),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEYS }),
  });
}

export function useRevokeKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => send(`${PATH}/${id}`, { method: "DELETE" }),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEYS }),
  });
}
