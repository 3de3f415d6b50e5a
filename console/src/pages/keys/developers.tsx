/* The user id and the API keys; `/developers`, and `/api/keys` as it was called later. */

import { useState, type FormEvent } from "react";

import { useSession } from "../../session/session";
import { Button } from "../../ui/button";
import { Code, CopyButton, Curl } from "../../ui/copy";
import { writeCurl } from "../../ui/curl";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { Form } from "../../ui/form";
import { Badge, Beside, Card, Empty, Failure, Page, Waiting } from "../../ui/page";
import { Table } from "../../ui/table";
import { showAgo, showDay } from "../../ui/times";
import { useSay } from "../../ui/toast";
import { useApiKeys, useNewKey, useRevokeKey, type Key, type NewKey } from "./keys";

export default function Developers() {
  const session = useSession().data;
  const keys = useApiKeys();
  const [made, setMade] = useState<NewKey | null>(null);
  const isRevoked = keys.data?.some(({ id, revokedAt }) => id === made?.id && revokedAt !== null);
  return (
    <Page title="API keys" lead="Programs that use this server send one of these. Give each its own, so that you can revoke it alone.">
      {session && (
        <Card side title="User id">
          <Beside><code>{session.userId}</code><CopyButton text={session.userId} bare label="Copy the user id" /></Beside>
          <p>Older clients send it as <code>X-User-Id</code>; it may be left out.</p>
        </Card>
      )}
      <MakeKey onMade={setMade} />
      {made && !isRevoked && <Made made={made} />}
      <Failure error={keys.error} />
      {keys.isPending && <Waiting what="Loading the keys…" />}
      {keys.data && (keys.data.length ? <KeyTable keys={keys.data} /> : (
        <Empty title="No keys yet">
          <p>Make one above: it is shown once, with a request to try it with. A key can make others, too:</p>
          <Curl method="POST" path="/api/v1/api-keys" body={{ name: "telephone bridge" }} />
        </Empty>
      ))}
    </Page>
  );
}

function MakeKey({ onMade }: { onMade: (made: NewKey) => void }) {
  const make = useNewKey();
  const [name, setName] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate(name.trim(), {
      onSuccess: (made) => {
        setName("");
        onMade(made);
      },
    });
  };
  return (
    <Card side title="New key">
      <Failure error={make.error} />
      <Form row onSubmit={submit}>
        <TextField label="Name" placeholder="What it is for, such as: telephone bridge" maxLength={250} required value={name} onChange={(event) => setName(event.target.value)} />
        <Button type="submit" kind="primary" busy={make.isPending}>Make a key</Button>
      </Form>
    </Card>
  );
}

function Made({ made }: { made: NewKey }) {
  return (
    <Card title={`Your key “${made.name}”`}>
      <p>Copy it now: it is not shown again.</p>
      <Code wrap title="Key" code={made.apiKey} />
      <Code wrap title="Try it" code={writeCurl({ path: "/api/v1/agents" }, location.origin, made.apiKey)} />
    </Card>
  );
}

function KeyTable({ keys }: { keys: readonly Key[] }) {
  const [revoking, setRevoking] = useState<Key | null>(null);
  return (
    <>
      <Table label="API keys" heads={["Name", "Key", "Made", "Last used", ""]}>
        {keys.map((key) => (
          <tr key={key.id}>
            <td>{key.name || "No name"} {key.revokedAt && <Badge kind="danger">Revoked</Badge>}</td>
            <td data-short data-label="Key"><code>…{key.tail}</code></td>
            <td data-short data-label="Made">{showDay(key.createdAt)}</td>
            <td data-short data-label="Last used">{key.lastUsedAt ? showAgo(key.lastUsedAt) : "Never"}</td>
            <td data-number>{!key.revokedAt && <Button small kind="danger" onClick={() => setRevoking(key)}>Revoke</Button>}</td>
          </tr>
        ))}
      </Table>
      <Revoke revoked={revoking} onClose={() => setRevoking(null)} />
    </>
  );
}

function Revoke({ revoked, onClose }: { revoked: Key | null; onClose: () => void }) {
  const revoke = useRevokeKey();
  const say = useSay();
  const confirm = () => {
    if (!revoked) return;
    revoke.mutate(revoked.id, {
      onSuccess: () => {
        onClose();
        say(`The key “${revoked.name}” is revoked.`);
      },
    });
  };
  return (
    <Dialog
      title={`Revoke “${revoked?.name ?? ""}”?`} isOpen={revoked !== null} onClose={onClose}
      foot={<><Button onClick={onClose}>Keep it</Button><Button kind="danger" busy={revoke.isPending} onClick={confirm}>Revoke</Button></>}
    >
      <p>Whoever uses it is refused from now on. This cannot be undone.</p>
      <Failure error={revoke.error} />
    </Dialog>
  );
}
