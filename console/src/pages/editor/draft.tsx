/* What was changed in an agent and is not saved yet. Kept in the tab of the browser, so that nothing
   is lost on the way to another page and back. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";

import { ApiError, sendJson, type Schemas } from "../../api/client";
import { agentKey, refreshAgents, type Agent } from "../agents/agents";

export type Changes = Partial<Schemas["AgentChanges"]>;
export type FieldName = keyof Changes & keyof Agent;

interface Draft {
  /** As the server has it. */
  agent: Agent;
  changes: Changes;
  /** A field as it would be saved now. */
  value: <Name extends FieldName>(name: Name) => Agent[Name];
  /** Changes a field; a value that is what the server has is no change. */
  set: <Name extends FieldName>(name: Name, value: Changes[Name]) => void;
  /** What the server said against a field when it was to be saved; "" for nothing. */
  errorOf: (name: string) => string;
  /** What it said that is about no field. */
  error: unknown;
  isSaving: boolean;
  save: () => Promise<Agent | null>;
  discard: () => void;
}

const Context = createContext<Draft | null>(null);

export function useDraft(): Draft {
  const draft = useContext(Context);
  if (!draft) throw new Error("useDraft stands outside a DraftProvider");
  return draft;
}

export function DraftProvider({ agent, children }: { agent: Agent; children: ReactNode }) {
  const [changes, setChanges] = useStoredChanges(agent.id);
  const saving = useSaving(agent.id);
  const { mutateAsync, reset } = saving;

  const set = useCallback<Draft["set"]>((name, value) => {
    reset();
    setChanges((before) => {
      const after: Changes = { ...before, [name]: value };
      if (isSame(value, agent[name])) delete after[name];
      return after;
    });
  }, [agent, reset, setChanges]);

  const draft = useMemo<Draft>(() => ({
    agent,
    changes,
    value: (name) => (name in changes ? changes[name] : agent[name]) as Agent[typeof name],
    set,
    errorOf: (name) => (isAbout(saving.error, name) ? saving.error.message : ""),
    error: saving.error,
    isSaving: saving.isPending,
    save: async () => {
      try {
        const saved = await mutateAsync(changes);
        setChanges({});
        return saved;
      } catch {
        return null; // it is in `error`
      }
    },
    discard: () => {
      reset();
      setChanges({});
    },
  }), [agent, changes, set, saving.error, saving.isPending, mutateAsync, reset, setChanges]);

  return <Context value={draft}>{children}</Context>;
}

function useSaving(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (changes: Changes) => await (await sendJson(`/api/v1/agents/${id}`, "PATCH", changes)).json() as Agent,
    onSuccess: (saved) => {
      queries.setQueryData(agentKey(id), saved);
      return refreshAgents(queries);
    },
  });
}

/** `llm.baseURL` is about `llm`, too. */
function isAbout(error: unknown, name: string): error is ApiError {
  return error instanceof ApiError && (error.field === name || error.field.startsWith(`${name}.`));
}

/** `undefined` and `null` and an empty text all clear a field. */
function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left || null) === JSON.stringify(right || null) && typeof left !== "boolean" || left === right;
}

function useStoredChanges(id: string) {
  const key = `sayso-draft-${id}`;
  const [changes, setChanges] = useState<Changes>(() => readStored(key));
  useEffect(() => {
    if (Object.keys(changes).length) sessionStorage.setItem(key, JSON.stringify(withoutSecrets(changes)));
    else sessionStorage.removeItem(key);
  }, [key, changes]);
  useEffect(() => {
    if (!Object.keys(changes).length) return undefined;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [changes]);
  return [changes, setChanges] as const;
}

function readStored(key: string): Changes {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "{}") as Changes;
  } catch {
    return {};
  }
}

/** Keys that were typed in do not lie about in the browser's store. */
function withoutSecrets(changes: Changes): unknown {
  return JSON.parse(JSON.stringify(changes, (name, value: unknown) => (name === "apiKey" || name === "headers" ? undefined : value)));
}
