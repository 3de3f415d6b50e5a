/* What a function is given: where each value goes, and whether the agent asks for it. */

import { Button } from "../../ui/button";
import { SelectField, TextField, Toggle } from "../../ui/field";
import type { Parameter } from "./functions";
import styles from "./functions.module.css";
import { findPlaces } from "./places";

const TYPES = [
  ["string", "Text, from the talk"],
  ["number", "Number, from the talk"],
  ["boolean", "Yes or no, from the talk"],
  ["enum", "One of these values"],
  ["const", "Always this value"],
] as const;
const POSITIONS = [["body", "Body"], ["query", "Query"], ["header", "Header"], ["url", "Address"]] as const;

interface ParametersProps {
  /** Where the function is called; its {places} take parameters. */
  address: string;
  parameters: readonly Parameter[];
  onChange: (parameters: Parameter[]) => void;
}

export function Parameters({ address, parameters, onChange }: ParametersProps) {
  const add = (name: string, parameterPosition: "body" | "url") => onChange([...parameters, { name, type: "string", parameterPosition, required: true }]);
  const set = (n: number, next: Parameter) => onChange(parameters.map((each, at) => (at === n ? next : each)));
  return (
    <fieldset className={styles.stack}>
      <legend>Parameters</legend>
      {parameters.map((parameter, n) => (
        <ParameterFields key={n} parameter={parameter} onChange={(next) => set(n, next)} onRemove={() => onChange(parameters.filter((_, at) => at !== n))} />
      ))}
      <div className={styles.buttons}>
        <Button small onClick={() => add("", "body")}>Add a parameter</Button>
        {findPlaces(address, parameters).map((name) => <Button key={name} small onClick={() => add(name, "url")}>Add {name}, of the address</Button>)}
      </div>
    </fieldset>
  );
}

function ParameterFields({ parameter, onChange, onRemove }: { parameter: Parameter; onChange: (next: Parameter) => void; onRemove: () => void }) {
  const change = (part: Partial<Parameter>) => onChange({ ...parameter, ...part } as Parameter);
  return (
    <div className={styles.parameter}>
      <div className={styles.columns}>
        <TextField label="Name" mono required value={parameter.name} onChange={(event) => change({ name: event.target.value })} />
        <SelectField label="Value" value={parameter.type} onChange={(event) => onChange(retype(parameter, event.target.value as Parameter["type"]))}>
          {TYPES.map(([id, label]) => <option key={id} value={id}>{label}</option>)}
        </SelectField>
        <SelectField label="Sent in" value={parameter.parameterPosition ?? "body"} onChange={(event) => change({ parameterPosition: event.target.value as NonNullable<Parameter["parameterPosition"]> })}>
          {POSITIONS.map(([id, label]) => <option key={id} value={id}>{label}</option>)}
        </SelectField>
      </div>
      {parameter.type === "const" && <TextField label="The value" mono note="Kept sealed. A mask sent back stays as it is." value={parameter.value} onChange={(event) => change({ value: event.target.value })} />}
      {parameter.type === "enum" && <TextField label="The values, separated by commas" value={parameter.values.join(", ")} onChange={(event) => change({ values: event.target.value.split(",").map((value) => value.trim()) })} />}
      {parameter.type !== "const" && (
        <>
          <TextField label="What it means" placeholder="The date of the visit, as YYYY-MM-DD" value={parameter.description ?? ""} onChange={(event) => change({ description: event.target.value || null })} />
          <Toggle label="Asked for, if the agent does not know it" checked={parameter.required ?? true} onChange={(event) => change({ required: event.target.checked })} />
        </>
      )}
      <div><Button small kind="danger" onClick={onRemove}>Remove</Button></div>
    </div>
  );
}

function retype({ name, description, parameterPosition }: Parameter, type: Parameter["type"]): Parameter {
  const kept = { name, ...(description && { description }), ...(parameterPosition && { parameterPosition }) };
  if (type === "const") return { ...kept, type, value: "" };
  if (type === "enum") return { ...kept, type, values: [""], required: true };
  return { ...kept, type, required: true };
}
