/* Tries an LLM, and tells what is found while it is being found. */

import { useEffect, useRef, useState } from "react";

import { readEvents } from "../../../api/events";
import { readError, type Schemas } from "../../../api/client";

export type Finding = Schemas["LlmIssue"];
export type Stage = Schemas["LlmStageView"];
export type Report = Schemas["LlmCheckView"];

export interface Check {
  isRunning: boolean;
  stages: readonly Stage[];
  findings: readonly Finding[];
  /** Once it is over. */
  report: Report | null;
  error: unknown;
}

const IDLE: Check = { isRunning: false, stages: [], findings: [], report: null, error: null };

/** A check that can be started again and again; the one before is given up. */
export function useLlmCheck() {
  const [check, setCheck] = useState<Check>(IDLE);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const start = async (server: unknown) => {
    running.current?.abort();
    const own = new AbortController();
    running.current = own;
    setCheck({ ...IDLE, isRunning: true });
    try {
      for await (const { name, data } of readEvents("/api/v1/llm-checks", server, own.signal)) {
        setCheck((before) => advance(before, name, data));
      }
      setCheck((before) => ({ ...before, isRunning: false }));
    } catch (error) {
      if (!own.signal.aborted) setCheck((before) => ({ ...before, isRunning: false, error }));
    }
  };
  return { check, start, forget: () => setCheck(IDLE) };
}

function advance(check: Check, name: string, data: unknown): Check {
  switch (name) {
    case "stage": return { ...check, stages: [...check.stages, data as Stage] };
    case "finding": return { ...check, findings: [...check.findings, data as Finding] };
    case "report": {
      const report = data as Report;
      return { ...check, report, stages: report.stages, findings: report.findings };
    }
    case "error": return { ...check, error: readError(data) };
    default: return check; // a later server may tell more
  }
}
