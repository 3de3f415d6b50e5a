/* What was changed in an agent and is not saved yet. Kept in the tab of the browser, so that nothing
   is lost on the way to another page and back. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";

import { askJson } from "../../api/client";
import { agentKey, refreshAgents, type Agent } from "../agents/agents";
import { asSent, withChange, withoutSaved, withoutSecrets, type Changes } from "./changes";
import { readErrorOf } from "./refusal";

export type { Changes } from "./changes";
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
  const [changes, setChanges] = useStoredChanges(agent);
  const saving = useSaving(agent.id);
  const { mutateAsync, reset } = saving;

  const set = useCallback<Draft["set"]>((name, value) => {
    reset();
    setChanges((before) => withChange(before, name, value, name === "llm" ? asSent(agent.llm) : agent[name]));
  }, [agent, reset, setChanges]);

  const draft = useMemo<Draft>(() => ({
    agent,
    changes,
    value: (name) => (name in changes ? changes[name] : agent[name]) as Agent[typeof name],
    set,
    errorOf: (name) => readErrorOf(saving.error, name),
    error: saving.error,
    isSaving: saving.isPending,
    save: async () => {
      try {
        const saved = await mutateAsync(changes);
        setChanges((now) => withoutSaved(now, changes));
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
    mutationFn: async (changes: Changes) => await askJson<Agent>(`/api/v1/agents/${id}`, "PATCH", changes),
    onSuccess: (saved) => {
      queries.setQueryData(agentKey(id), saved);
      return refreshAgents(queries);
    },
  });
}

/** Changes of agents that were left for another page, keys included; a reload forgets these. */
const held = new Map<string, Changes>();

const storeKey = (id: string) => `sayso-draft-${id}`;

function useStoredChanges(agent: Agent) {
  const { id } = agent;
  const [changes, setChanges] = useState<Changes>(() => held.get(id) ?? readStored(id));
  useEffect(() => {
    if (Object.keys(changes).length) {
      held.set(id, changes);
      sessionStorage.setItem(storeKey(id), JSON.stringify(withoutSecrets(changes, agent)));
    } else {
      held.delete(id);
      sessionStorage.removeItem(storeKey(id));
    }
  }, [id, agent, changes]);
  useEffect(() => {
    if (!Object.keys(changes).length) return undefined;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [changes]);
  return [changes, setChanges] as const;
}

function readStored(id: string): Changes {
  try {
    return JSON.parse(sessionStorage.getItem(storeKey(id)) ?? "{}") as Changes;
  } catch {
    return {};
  }
}
