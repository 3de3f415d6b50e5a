/* Controls that are tied to a field of the draft. */

import type { ComponentProps, ReactNode } from "react";

import { SelectField, TextArea, TextField, Toggle } from "../../ui/field";
import { useDraft, type Changes, type FieldName } from "./draft";

/** Fields whose value is of this type, perhaps null. */
type Named<Type> = { [Name in FieldName]: NonNullable<Changes[Name]> extends Type ? Name : never }[FieldName];

interface Tied<Name> {
  name: Name;
  label: ReactNode;
  note?: ReactNode;
}

/** An empty text is null, where a field may be: the server's own words, or none. */
const toText = (value: string, isRequired: boolean) => (value === "" && !isRequired ? null : value);

export function DraftText({ name, required, ...rest }: Tied<Named<string>> & Omit<ComponentProps<"input">, "name" | "value">) {
  const { value, set, errorOf } = useDraft();
  return (
    <TextField
      {...rest} required={required} value={value(name) ?? ""} error={errorOf(name)}
      onChange={(event) => set(name, toText(event.target.value, required === true) as Changes[typeof name])}
    />
  );
}

export function DraftArea({ name, required, maxLength, note, ...rest }: Tied<Named<string>> & Omit<ComponentProps<"textarea">, "name" | "value">) {
  const { value, set, errorOf } = useDraft();
  const text = value(name) ?? "";
  const isNear = maxLength !== undefined && text.length > maxLength * NEAR;
  return (
    <TextArea
      {...rest} required={required} maxLength={maxLength} value={text} error={errorOf(name)}
      note={isNear ? <>{note} {text.length} of {maxLength} characters.</> : note}
      onChange={(event) => set(name, toText(event.target.value, required === true) as Changes[typeof name])}
    />
  );
}

/** From this share of its length on, a text is counted. */
const NEAR = 0.8;

/** `empty`: the choice that clears the field. */
export function DraftSelect({ name, options, empty, ...rest }: Tied<Named<string>> & { options: readonly (readonly [string, string])[]; empty?: string }) {
  const { value, set, errorOf } = useDraft();
  return (
    <SelectField
      {...rest} value={value(name) ?? ""} error={errorOf(name)}
      onChange={(event) => set(name, (event.target.value || null) as Changes[typeof name])}
    >
      {empty !== undefined && <option value="">{empty}</option>}
      {options.map(([id, label]) => <option key={id} value={id}>{label}</option>)}
    </SelectField>
  );
}

export function DraftNumber({ name, ...rest }: Tied<Named<number>> & Omit<ComponentProps<"input">, "name" | "value" | "type">) {
  const { value, set, errorOf } = useDraft();
  return (
    <TextField
      {...rest} type="number" inputMode="decimal" value={value(name) ?? ""} error={errorOf(name)}
      onChange={(event) => set(name, (event.target.value === "" ? null : event.target.valueAsNumber) as Changes[typeof name])}
    />
  );
}

export function DraftToggle({ name, ...rest }: Tied<Named<boolean>>) {
  const { value, set } = useDraft();
  return <Toggle {...rest} checked={value(name) === true} onChange={(event) => set(name, event.target.checked as Changes[typeof name])} />;
}
