/* A form: fields below each other, and what Enter does. */

import type { ComponentProps } from "react";

import styles from "./form.module.css";

/** `row`: beside each other, where there is room. */
export function Form({ row, ...rest }: ComponentProps<"form"> & { row?: boolean }) {
  return <form {...rest} className={row ? styles.row : styles.form} />;
}
