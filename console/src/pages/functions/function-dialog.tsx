/* One external function: made, or changed. */

import { useState, type FormEvent } from "react";

import { Button } from "../../ui/button";
import { Dialog, DialogFoot } from "../../ui/dialog";
import { SelectField, TextArea, TextField, Toggle } from "../../ui/field";
import { Form } from "../../ui/form";
import { Failure } from "../../ui/page";
import { useSay } from "../../ui/toast";
import { useSaveFunction, type ExternalFunction, type FunctionBody } from "./functions";
import styles from "./functions.module.css";
import { Parameters } from "./parameters";
import { LABELS, readElse, readFieldError, type LabelledField } from "./refused";

const METHODS = ["GET", "POST", "PUT", "DELETE"] as const;
const NEW: FunctionBody = { name: "", description: "", endpointUrl: "", method: "GET", parameters: [] };

interface FunctionDialogProps {
  /** The one to change; null for a new one. */
  edited: ExternalFunction | null;
  onClose: () => void;
  onSaved?: (saved: ExternalFunction) => void;
}

export function FunctionDialog({ edited, onClose, onSaved }: FunctionDialogProps) {
  const [body, setBody] = useState<FunctionBody>(() => (edited ? bodyOf(edited) : NEW));
  const save = useSaveFunction(edited?.id ?? null);
  const say = useSay();
  const change = (part: Partial<FunctionBody>) => setBody({ ...body, ...part });
  const errorOf = (field: LabelledField) => readFieldError(save.error, field);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(body, {
      onSuccess: (saved) => {
        say(`The function “${saved.name}” is saved.`);
        onSaved?.(saved);
        onClose();
      },
    });
  };
  return (
    <Dialog wide title={edited ? `Edit “${edited.name}”` : "New function"} isOpen onClose={onClose}>
      <Form onSubmit={submit}>
        <Failure error={readElse(save.error)} />
        <TextField label={LABELS.name} required maxLength={250} placeholder="book_visit" mono value={body.name} error={errorOf("name")} onChange={(event) => change({ name: event.target.value })} />
        <TextArea label={LABELS.description} required rows={2} maxLength={500} note="The LLM decides by this text." value={body.description} error={errorOf("description")} onChange={(event) => change({ description: event.target.value })} />
        <div className={styles.columns}>
          <SelectField label="Method" value={body.method ?? "GET"} onChange={(event) => change({ method: event.target.value as NonNullable<FunctionBody["method"]> })}>
            {METHODS.map((method) => <option key={method}>{method}</option>)}
          </SelectField>
          <TextField label="Longest wait (seconds)" type="number" min={0.5} max={30} step={0.5} placeholder="10" value={body.timeoutSeconds ?? ""} onChange={(event) => change({ timeoutSeconds: event.target.value === "" ? null : event.target.valueAsNumber })} />
        </div>
        <TextField label={LABELS.endpointUrl} type="url" mono required placeholder="https://api.example.com/visits/{id}" value={body.endpointUrl} error={errorOf("endpointUrl")} onChange={(event) => change({ endpointUrl: event.target.value })} />
        <Parameters address={body.endpointUrl} parameters={body.parameters} onChange={(parameters) => change({ parameters })} />
        <TextField label="Said while it takes long" maxLength={250} placeholder="The usual sentences" value={body.filler ?? ""} onChange={(event) => change({ filler: event.target.value || null })} />
        <Toggle label="Ask the caller before it is called" checked={body.metadata?.toolRequiresConfirmation ?? false} onChange={(event) => change({ metadata: { toolRequiresConfirmation: event.target.checked } })} />
        <DialogFoot>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={save.isPending}>Save</Button>
        </DialogFoot>
      </Form>
    </Dialog>
  );
}

function bodyOf({ name, description, endpointUrl, method, parameters, metadata, timeoutSeconds, filler }: ExternalFunction): FunctionBody {
  return { name, description, endpointUrl, method, parameters: parameters as FunctionBody["parameters"], metadata, timeoutSeconds, filler };
}
