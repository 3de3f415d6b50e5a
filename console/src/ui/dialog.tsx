/* A dialog over the page. The keyboard stays inside, Escape closes it, focus goes back. */

import { Dialog as Base } from "@base-ui/react/dialog";
import type { ReactNode } from "react";

import styles from "./overlay.module.css";

interface DialogProps {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  wide?: boolean;
  /** The buttons at its foot, the safe one first. */
  foot?: ReactNode;
  children: ReactNode;
}

export function Dialog({ title, isOpen, onClose, wide, foot, children }: DialogProps) {
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className={styles.veil} />
        <Base.Popup className={[styles.dialog, wide && styles.wide].filter(Boolean).join(" ")}>
          <Base.Title>{title}</Base.Title>
          {children}
          {foot && <DialogFoot>{foot}</DialogFoot>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** The buttons of a dialog; in a form of its own, they stand inside of it. */
export function DialogFoot({ children }: { children: ReactNode }) {
  return <div className={styles.foot}>{children}</div>;
}
