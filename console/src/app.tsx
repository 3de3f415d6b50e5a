/* The console: which page stands at which address. Pages are loaded when they are gone to. */

import { CSPProvider } from "@base-ui/react/csp-provider";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Redirect, Route, Switch } from "wouter";

import { ApiError } from "./api/client";
import { Frame } from "./frame/frame";
import { SESSION, useSession } from "./session/session";
import { Failure, Waiting } from "./ui/page";
import { Toasts } from "./ui/toast";

const Home = lazy(() => import("./pages/home/home"));
const SignIn = lazy(() => import("./session/sign-in"));
const SignUp = lazy(() => import("./session/sign-up"));
const MyAgents = lazy(() => import("./pages/agents/my-agents"));
const Editor = lazy(() => import("./pages/editor/editor"));
const Functions = lazy(() => import("./pages/functions/functions-page"));
const Conversations = lazy(() => import("./pages/conversations/list"));
const Conversation = lazy(() => import("./pages/conversations/conversation"));
const Shared = lazy(() => import("./pages/conversations/shared"));
const Analytics = lazy(() => import("./pages/analytics/analytics"));
const Developers = lazy(() => import("./pages/keys/developers"));
const Account = lazy(() => import("./pages/account/account"));
const NotFound = lazy(() => import("./pages/not-found"));

const RETRIES = 2;

/** Who was signed out meanwhile comes to `/sign-in` and back; what was being written is kept. */
const onError = (error: Error) => {
  if (error instanceof ApiError && error.isSignedOut) queries.setQueryData(SESSION, null);
};

const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      retry: (count, error) => count < RETRIES && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      staleTime: 5_000,
    },
  },
});

export function App() {
  return (
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <Toasts>
          <Suspense fallback={<Waiting what="Loading…" />}>
            <Switch>
              <Route path="/sign-in"><SignIn /></Route>
              <Route path="/sign-up"><SignUp /></Route>
              <Route path="/shared/:token">{({ token }) => <Shared token={token} />}</Route>
              <Route><SignedIn /></Route>
            </Switch>
          </Suspense>
        </Toasts>
      </QueryClientProvider>
    </CSPProvider>
  );
}

/** The pages for whoever is signed in; who is not comes to `/sign-in` and back. */
function SignedIn() {
  const session = useSession();
  if (session.isPending) return <Waiting what="Loading…" />;
  if (session.error) return <Failure error={session.error} />;
  if (!session.data) return <Redirect to={`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`} />;
  return (
    <Frame>
      <Suspense fallback={<Waiting what="Loading…" />}>
        <Switch>
          <Route path="/"><Home /></Route>
          <Route path="/my-agents"><MyAgents /></Route>
          <Route path="/my-agents/:id/:tab?">{({ id, tab }) => <Editor id={id} tab={tab ?? "identity"} />}</Route>
          <Route path="/functions"><Functions /></Route>
          <Route path="/conversations"><Conversations /></Route>
          <Route path="/conversations/:id">{({ id }) => <Conversation id={id} />}</Route>
          <Route path="/analytics"><Analytics /></Route>
          <Route path="/developers"><Developers /></Route>
          <Route path="/api/keys"><Developers /></Route>
          <Route path="/account"><Account /></Route>
          <Route><NotFound /></Route>
        </Switch>
      </Suspense>
    </Frame>
  );
}
