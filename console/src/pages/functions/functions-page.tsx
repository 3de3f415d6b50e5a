/* The functions that agents of the account may be given. */

import { useState } from "react";

import { Button } from "../../ui/button";
import { Curl } from "../../ui/copy";
import { Dialog } from "../../ui/dialog";
import { Icon } from "../../ui/icons";
import { MoreMenu } from "../../ui/menu";
import { Badge, Empty, Failure, Page, Waiting } from "../../ui/page";
import { useSay } from "../../ui/toast";
import { FunctionDialog } from "./function-dialog";
import { useDeleteFunction, useFunctions, type ExternalFunction } from "./functions";
import styles from "./functions.module.css";
import { TryDialog } from "./try-dialog";

const EXAMPLE = {
  name: "get_weather",
  description: "Tells the weather. Use it when the caller asks for the weather of a city.",
  endpointUrl: "https://api.example.com/weather",
  method: "GET",
  parameters: [{ name: "city", type: "string", parameterPosition: "query", description: "The city's name" }],
} as const;

type Shown = { kind: "edit" | "try" | "delete"; of: ExternalFunction } | { kind: "new"; of: null } | null;

export default function Functions() {
  const functions = useFunctions();
  const [shown, setShown] = useState<Shown>(null);
  const close = () => setShown(null);
  const add = () => setShown({ kind: "new", of: null });
  return (
    <Page title="Functions" lead="What agents can do on your servers. Give them to an agent under its Actions." actions={functions.data?.length !== 0 && <Button kind="primary" onClick={add}><Icon name="plus" />New function</Button>}>
      <Failure error={functions.error} />
      {functions.isPending && <Waiting what="Loading the functions…" />}
      {functions.data?.length === 0 && (
        <Empty title="No functions yet">
          <p>A function is an HTTP endpoint of yours that the agent's LLM may call: look something up, book a visit. Make one here, or by REST:</p>
          <Button kind="primary" onClick={add}><Icon name="plus" />New function</Button>
          <Curl method="POST" path="/api/v1/external-functions" body={EXAMPLE} />
        </Empty>
      )}
      {functions.data && functions.data.length > 0 && (
        <ul className={styles.list}>{functions.data.map((each) => <Row key={each.id} shown={each} onShow={(kind) => setShown({ kind, of: each })} />)}</ul>
      )}
      {(shown?.kind === "new" || shown?.kind === "edit") && <FunctionDialog edited={shown.of} onClose={close} />}
      {shown?.kind === "try" && <TryDialog tried={shown.of} onClose={close} />}
      {shown?.kind === "delete" && <Delete deleted={shown.of} onClose={close} />}
    </Page>
  );
}

function Row({ shown: { name, description, method, endpointUrl, metadata }, onShow }: { shown: ExternalFunction; onShow: (kind: "edit" | "try" | "delete") => void }) {
  return (
    <li className={styles.function}>
      <div>
        <button type="button" className={styles.name} onClick={() => onShow("edit")}>{name}</button>
        <p>{description}</p>
        <p><code>{method} {endpointUrl}</code> {metadata.toolRequiresConfirmation && <Badge>Asks first</Badge>}</p>
      </div>
      <div className={styles.do}>
        <Button onClick={() => onShow("try")}>Try it</Button>
        <MoreMenu label={`More about ${name}`} items={[
          { label: "Edit", icon: "edit", onChoose: () => onShow("edit") },
          { label: "Delete", icon: "trash", danger: true, onChoose: () => onShow("delete") },
        ]} />
      </div>
    </li>
  );
}

function Delete({ deleted, onClose }: { deleted: ExternalFunction; onClose: () => void }) {
  const remove = useDeleteFunction();
  const say = useSay();
  const confirm = () => remove.mutate(deleted.id, {
    onSuccess: () => {
      say(`“${deleted.name}” is deleted.`);
      onClose();
    },
  });
  return (
    <Dialog title={`Delete “${deleted.name}”?`} isOpen onClose={onClose} foot={<><Button onClick={onClose}>Keep it</Button><Button kind="danger" busy={remove.isPending} onClick={confirm}>Delete</Button></>}>
      <p>Agents that have it can no longer call it. This cannot be undone.</p>
      <Failure error={remove.error} />
    </Dialog>
  );
}
