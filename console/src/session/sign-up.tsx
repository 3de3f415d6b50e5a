/* Makes an account, where the operator lets people in. */

import { useState, type FormEvent } from "react";
import { Link } from "wouter";

import { Button } from "../ui/button";
import { TextField } from "../ui/field";
import { Form } from "../ui/form";
import { Failure } from "../ui/page";
import { DoorPage } from "./door";
import { useSignUp } from "./session";

export const LEAST_PASSWORD_CHARS = 10;

export default function SignUp() {
  const signUp = useSignUp();
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signUp.mutate({ name, email, password });
  };
  return (
    <DoorPage title="Sign up" note="Your account is kept on this server and nowhere else. No mail is sent.">
      <Form onSubmit={submit}>
        <Failure error={signUp.error} />
        <TextField label="Name" autoComplete="name" value={name} onChange={(event) => setName(event.target.value)} />
        <TextField label="Email" type="email" autoComplete="username" required value={email} onChange={(event) => setEmail(event.target.value)} />
        <TextField
          label="Password" type="password" autoComplete="new-password" required minLength={LEAST_PASSWORD_CHARS}
          note={`${LEAST_PASSWORD_CHARS} characters or more.`}
          value={password} onChange={(event) => setPassword(event.target.value)}
        />
        <Button type="submit" kind="primary" busy={signUp.isPending}>Sign up</Button>
      </Form>
      <p>Have an account? <Link href="/sign-in">Sign in</Link></p>
    </DoorPage>
  );
}
