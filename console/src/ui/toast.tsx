/* Says in a corner what was done, with a way back. Read out by screen readers; F6 goes there. */

import { Toast as Base } from "@base-ui/react/toast";
import type { ReactNode } from "react";

import { Button } from "./button";
import { Icon } from "./icons";
import styles from "./overlay.module.css";

const SHOWN_MS = 8000;

interface Said {
  /** Takes it back, for as long as the message stands there. */
  undo?: () => void;
}

/** Gives the function that takes back whatever stands there, for it holds no longer. */
export function useHush(): () => void {
  const toasts = Base.useToastManager();
  return () => toasts.close();
}

/** Gives the function that says something. */
export function useSay(): (sentence: string, said?: Said) => void {
  const toasts = Base.useToastManager();
  return (sentence, { undo } = {}) => {
    const id = toasts.add({
      description: sentence,
      timeout: SHOWN_MS,
      ...(undo && {
        actionProps: {
          children: "Undo",
          onClick: () => {
            undo();
            toasts.close(id);
          },
        },
      }),
    });
  };
}

export function Toasts({ children }: { children: ReactNode }) {
  return (
    <Base.Provider>
      {children}
      <Base.Portal>
        <Base.Viewport className={styles.toasts}><Shown /></Base.Viewport>
      </Base.Portal>
    </Base.Provider>
  );
}

function Shown() {
  const { toasts } = Base.useToastManager();
  return toasts.map((toast) => (
    <Base.Root key={toast.id} toast={toast} className={styles.toast} aria-label="Message">
      <Base.Description />
      {toast.actionProps && <Base.Action render={<Button small />} />}
      <Base.Close render={<Button small square aria-label="Close" />}><Icon name="cross" size={14} /></Base.Close>
    </Base.Root>
  ));
}
