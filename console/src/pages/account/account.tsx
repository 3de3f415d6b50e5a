/* The account: its name, its email, its password. */

import { useState, type FormEvent } from "react";

import { LEAST_PASSWORD_CHARS } from "../../session/sign-up";
import { useChangeAccount, useSession, type Session } from "../../session/session";
import { Button } from "../../ui/button";
import { CopyButton } from "../../ui/copy";
import { TextField } from "../../ui/field";
import { Form } from "../../ui/form";
import { Card, Failure, Page } from "../../ui/page";
import { useSay } from "../../ui/toast";

export default function Account() {
  const session = useSession().data;
  if (!session) return null;
  return (
    <Page title="Account" lead={<>User id <code>{session.userId}</code> <CopyButton text={session.userId} bare label="Copy the user id" /></>}>
      <Who session={session} />
      <Password isFirst={!session.hasPassword} />
    </Page>
  );
}

/** Whoever found the browser open does not know it. */
function CurrentPassword({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <TextField label="Current password" type="password" autoComplete="current-password" note="Not needed right after signing in by a link." value={value} onChange={(event) => onChange(event.target.value)} />
  );
}

function Who({ session }: { session: Session }) {
  const change = useChangeAccount();
  const say = useSay();
  const [currentPassword, setCurrent] = useState("");
  const [name, setName] = useState(session.name ?? "");
  const [email, setEmail] = useState(session.email ?? "");
  const isMoving = email !== "" && email !== session.email;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate(
      { name, ...(isMoving && { email }), ...(currentPassword && { currentPassword }) },
      {
        onSuccess: () => {
          setCurrent("");
          say("Saved.");
        },
      },
    );
  };
  return (
    <Card side title="Who you are">
      <Form onSubmit={submit}>
        <Failure error={change.error} />
        <TextField label="Name" autoComplete="name" value={name} onChange={(event) => setName(event.target.value)} />
        <TextField label="Email" type="email" autoComplete="username" note="You sign in with it. No mail is sent." value={email} onChange={(event) => setEmail(event.target.value)} />
        {isMoving && session.hasPassword && <CurrentPassword value={currentPassword} onChange={setCurrent} />}
        <div><Button type="submit" busy={change.isPending}>Save</Button></div>
      </Form>
    </Card>
  );
}

function Password({ isFirst }: { isFirst: boolean }) {
  const change = useChangeAccount();
  const say = useSay();
  const [currentPassword, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate(
      { password, ...(currentPassword && { currentPassword }) },
      {
        onSuccess: () => {
          setCurrent("");
          setPassword("");
          say("The password is set. Other browsers are signed out.");
        },
      },
    );
  };
  return (
    <Card side title={isFirst ? "Set a password" : "Change the password"}>
      {isFirst && <p>You came by a link. With an email and a password you can come back without one.</p>}
      <Form onSubmit={submit}>
        <Failure error={change.error} />
        {!isFirst && <CurrentPassword value={currentPassword} onChange={setCurrent} />}
        <TextField label="New password" type="password" autoComplete="new-password" required minLength={LEAST_PASSWORD_CHARS} note={`${LEAST_PASSWORD_CHARS} characters or more.`} value={password} onChange={(event) => setPassword(event.target.value)} />
        <div><Button type="submit" busy={change.isPending}>Set the password</Button></div>
      </Form>
    </Card>
  );
}
