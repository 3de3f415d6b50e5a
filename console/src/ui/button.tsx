/* What does something (`Button`) or leads somewhere (`LinkButton`), in one look. */

import type { ComponentProps } from "react";
import { Link } from "wouter";

import styles from "./button.module.css";

interface Look {
  /** primary: the one thing to do here. danger: cannot be undone. */
  kind?: "plain" | "primary" | "quiet" | "danger";
  small?: boolean;
  /** Holds only an icon; give it an `aria-label`. */
  square?: boolean;
}

function classesOf({ kind = "plain", small, square }: Look, more?: string): string {
  return [styles.button, kind !== "plain" && styles[kind], small && styles.small, square && styles.square, more]
    .filter(Boolean)
    .join(" ");
}

export type ButtonProps = ComponentProps<"button"> & Look & { busy?: boolean };

/** `busy`: it is being done; a second click does nothing, and the keyboard stays where it is. */
export function Button({ kind, small, square, busy = false, className, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={classesOf({ ...defined({ kind, small, square }) }, className)}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    />
  );
}

export function LinkButton({
  kind, small, square, className, href, ...rest
}: ComponentProps<"a"> & Look & { href: string }) {
  const classes = classesOf({ ...defined({ kind, small, square }) }, className);
  if (rest.download !== undefined || !isPage(href)) return <a {...rest} href={href} className={classes} />;
  return <Link {...rest} href={href} className={classes} />;
}

/** Whether it is a page of the console; what else the server has, browsers fetch themselves. */
function isPage(href: string): boolean {
  return href.startsWith("/") && !/^\/(agent|api|docs)(\/|$)/.test(href);
}

function defined(look: { [Key in keyof Look]: Look[Key] | undefined }): Look {
  return Object.fromEntries(Object.entries(look).filter(([, value]) => value !== undefined));
}
