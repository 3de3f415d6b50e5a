/* The external functions of the account. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { askJson, getJson, type Schemas, send, sendJson } from "../../api/client";

export type ExternalFunction = Schemas["FunctionView"];
export type Parameter = Schemas["NewFunction"]["parameters"] extends (infer Each)[] | undefined ? Each : never;
export type FunctionBody = Omit<Schemas["NewFunction"], "parameters"> & { parameters: Parameter[] };
export type Trial = Schemas["TrialView"];

const PATH = "/api/v1/external-functions";
const KEY = ["functions"] as const;

export function useFunctions() {
  return useQuery({ queryKey: KEY, queryFn: async () => await getJson<ExternalFunction[]>(`${PATH}?pageSize=500`) });
}

/** Makes one, or changes the one with this id. */
export function useSaveFunction(id: string | null) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (body: FunctionBody) =>
      await (await (id ? sendJson(`${PATH}/${id}`, "PATCH", body) : sendJson(PATH, "POST", body))).json() as ExternalFunction,
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}

export function useDeleteFunction() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => send(`${PATH}/${id}`, { method: "DELETE" }),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}

export function useTrial(id: string) {
  return useMutation({
    mutationFn: async (given: Record<string, unknown>) => await askJson<Trial>(`${PATH}/${id}/try`, "POST", { arguments: given }),
  });
}
