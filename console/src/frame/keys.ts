/* What the keyboard does anywhere: `/` searches, `g` and a letter goes somewhere, `?` shows these. */

import { useEffect } from "react";
import { useLocation } from "wouter";

export const GOES_TO = {
  h: ["Home", "/"],
  a: ["Agents", "/my-agents"],
  c: ["Conversations", "/conversations"],
  y: ["Analytics", "/analytics"],
  f: ["Functions", "/functions"],
  k: ["API keys", "/developers"],
} as const;

const AFTER_G_MS = 1200;

/** `onHelp` is called for `?`. */
export function useKeys(onHelp: () => void): void {
  const [, go] = useLocation();
  useEffect(() => {
    let pressedG = -Infinity;
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const target = GOES_TO[event.key as keyof typeof GOES_TO];
      if (event.key === "g") pressedG = event.timeStamp;
      else if (target && event.timeStamp - pressedG < AFTER_G_MS) go(target[1]);
      else if (event.key === "?") onHelp();
      else if (event.key === "/") {
        const search = document.querySelector<HTMLInputElement>('input[type="search"]');
        if (search) {
          event.preventDefault();
          search.focus();
        }
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [go, onHelp]);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
