/* Why a function was not saved, in the words that stand on its form. Pure. */

import { ApiError, callField } from "../../api/client";

/** Labels of the fields that say themselves what is wrong with them. */
export const LABELS = { name: "Name", description: "What it does, and when to use it", endpointUrl: "Address" } as const;

export type LabelledField = keyof typeof LABELS;

const isLabelled = (field: string): field is LabelledField => Object.hasOwn(LABELS, field);

/** What is wrong with one field, with its label instead of its name; "" for nothing. */
export function readFieldError(error: unknown, field: LabelledField): string {
  if (!(error instanceof ApiError) || error.field !== field) return "";
  const { message, hint } = error;
  const said = callField(message, field, LABELS[field]);
  return hint ? `${said} ${hint}` : said;
}

/** What no field says, for the head of the form. */
export function readElse(error: unknown): unknown {
  return error instanceof ApiError && isLabelled(error.field) ? null : error;
}
