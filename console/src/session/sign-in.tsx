/* Signs in: by the link that the server prints, or by email and password. */

import { useEffect, useRef, useState, type FormEvent } from "react";
import { Link, Redirect, useLocation, useSearchParams } from "wouter";

import { Button } from "../ui/button";
import { TextField } from "../ui/field";
import { Form } from "../ui/form";
import { Failure, Notice, Waiting } from "../ui/page";
import { DoorPage } from "./door";
import { useSession, useSignIn, useSignUpOpen } from "./session";

export default function SignIn() {
  const [link] = useState(takeLink);
  const session = useSession();
  const signIn = useSignIn();
  const [search] = useSearchParams();
  const [, go] = useLocation();
  const next = safePath(search.get("next"));
  const isUsed = useRef(false);

  useEffect(() => {
    if (!link || isUsed.current) return;
    isUsed.current = true; // a link works once, an effect may run twice
    signIn.mutate({ link }, { onSuccess: () => go(next, { replace: true }) });
  }, [link, signIn, go, next]);

  if (session.data && !link) return <Redirect to={next} />;
  if (link && !signIn.error) return <Waiting what="Signing you in…" />;
  return <SignInForm isBack={next !== "/"} error={signIn.error} isBusy={signIn.isPending} onSubmit={(email, password) => signIn.mutate({ email, password })} />;
}

interface FormProps {
  /** Whether a page waits for whoever signs in. */
  isBack: boolean;
  error: unknown;
  isBusy: boolean;
  onSubmit: (email: string, password: string) => void;
}

function SignInForm({ isBack, error, isBusy, onSubmit }: FormProps) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const isSignUpOpen = useSignUpOpen();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit(email, password);
  };
  return (
    <DoorPage
      title="Sign in"
      note={<>The server prints a link that signs its owner in when it starts; <code>sayso link</code> prints a new one.</>}
    >
      <Form onSubmit={submit}>
        {isBack && !error && <Notice kind="calm"><p>Sign in, and you are back where you were. What you changed and did not save is kept.</p></Notice>}
        <Failure error={error} />
        <TextField label="Email" type="email" autoComplete="username" required value={email} onChange={(event) => setEmail(event.target.value)} />
        <TextField label="Password" type="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.target.value)} />
        <Button type="submit" kind="primary" busy={isBusy}>Sign in</Button>
      </Form>
      {isSignUpOpen && <p>New here? <Link href="/sign-up">Sign up</Link></p>}
    </DoorPage>
  );
}

/** The token after `#`, which is taken out of the address at once: it is a secret. */
function takeLink(): string {
  const token = location.hash.slice(1);
  if (token) history.replaceState(null, "", location.pathname + location.search);
  return token;
}

/** Where to go afterwards: a path of ours, never another host. */
function safePath(path: string | null): string {
  return path && /^\/(?![/\\])/.test(path) ? path : "/";
}
