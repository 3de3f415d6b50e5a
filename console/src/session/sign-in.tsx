/* Signs in: by the link that the server prints, or by email and password. */

import { useEffect, useRef, useState, type FormEvent } from "react";
import { Link, Redirect, useSearchParams } from "wouter";

import { Button } from "../ui/button";
import { TextField } from "../ui/field";
import { Form } from "../ui/form";
import { Failure, Notice, Waiting } from "../ui/page";
import { DoorPage } from "./door";
import { useSession, useSignIn, useSignUpOpen } from "./session";

export default function SignIn() {
  const link = useLink();
  const session = useSession();
  const [search] = useSearchParams();
  const next = safePath(search.get("next"));
  const { mutate: signIn, error, isPending } = useSignIn(next);
  const used = useRef("");

  useEffect(() => {
    if (link === used.current) return;
    used.current = link; // a link works once, an effect may run twice
    signIn({ link });
  }, [link, signIn]);

  if (session.data && !link) return <Redirect to={next} />;
  if (link && !error) return <Waiting what="Signing you in…" />;
  return <SignInForm isBack={next !== "/"} error={error} isBusy={isPending} onSubmit={(email, password) => signIn({ email, password })} />;
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

/**
 * The token after `#`, "" where there is none. It is taken out of the address at once, as it is a
 * secret; but never while drawing, which may be begun again from what the address says then.
 */
function useLink(): string {
  const [token, setToken] = useState(readToken);
  useEffect(() => {
    const take = () => {
      const opened = readToken();
      if (!opened) return;
      setToken(opened);
      history.replaceState(null, "", location.pathname + location.search);
    };
    take();
    addEventListener("hashchange", take); // a link that is opened where this page is open already
    return () => removeEventListener("hashchange", take);
  }, []);
  return token;
}

function readToken(): string {
  return location.hash.slice(1);
}

/** Where to go afterwards: a path of ours, never another host. */
function safePath(path: string | null): string {
  return path && /^\/(?![/\\])/.test(path) ? path : "/";
}
