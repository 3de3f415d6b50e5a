/* Who is signed in, in this browser. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { ApiError, getJson, send, sendJson } from "../api/client";

/** As `GET /api/v1/session` answers. */
export interface Session {
  userId: string;
  email: string | null;
  name: string | null;
  hasPassword: boolean;
  signUpOpen: boolean;
}

const PATH = "/api/v1/session";
export const SESSION = ["session"] as const;

/** The session; null where nobody is signed in. */
export function useSession() {
  return useQuery({
    queryKey: SESSION,
    staleTime: Infinity,
    refetchOnWindowFocus: ({ state }) => (state.data ? false : "always"), // somebody may have signed in beside this page
    queryFn: async (): Promise<Session | null> => {
      try {
        return await getJson<Session>(PATH);
      } catch (error) {
        if (error instanceof ApiError && error.isSignedOut) return null;
        throw error;
      }
    },
  });
}

/**
 * Starts afresh on `path`, as whoever is signed in now: whatever this page asked before was asked by
 * nobody, and an answer to it may still be on its way.
 */
function enter(path: string) {
  location.replace(path);
}

/** By email and password, or by a link of the server's. */
export type Credentials = { email: string; password: string } | { link: string };

/** Signs in, and goes on to `next`. */
export function useSignIn(next: string) {
  return useMutation({
    mutationFn: async (credentials: Credentials) => {
      await sendJson(PATH, "POST", credentials);
    },
    onSuccess: () => enter(next),
  });
}

/** Whether strangers may sign up; the server says so to everybody. */
export function useSignUpOpen(): boolean {
  const asked = useQuery({
    queryKey: ["sign-up"],
    queryFn: async () => {
      const answer = await fetch(PATH).then((response) => response.json()) as Partial<Session>;
      return answer.signUpOpen === true;
    },
  });
  return asked.data ?? false;
}

export function useSignUp() {
  return useMutation({
    mutationFn: (account: { name: string; email: string; password: string }) => sendJson("/api/v1/account", "POST", account),
    onSuccess: () => enter("/"),
  });
}

export interface AccountChanges {
  name?: string;
  email?: string;
  password?: string;
  currentPassword?: string;
}

export function useChangeAccount() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (changes: AccountChanges) => sendJson("/api/v1/account", "PATCH", changes),
    onSuccess: () => queries.invalidateQueries({ queryKey: SESSION }),
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => send(PATH, { method: "DELETE" }),
    onSuccess: () => {
      queries.clear();
      sessionStorage.clear(); // drafts
      location.assign("/sign-in"); // forgets everything that a page may still hold
    },
  });
}
