/* The talk page: one agent, on a page of its own. */

import { NEEDS_KEY } from "../call";
import { make } from "../element/dom";
import { Panel } from "../element/panel";
import { keepTheme } from "../element/theme";
import { WORDS } from "../element/words";
import { askForTicket, findAgent } from "./owner";

const agentId = decodeURIComponent(location.pathname.split("/").at(-1)!);
const server = new URL("../", location.href); // the server may be below a path
const page = document.querySelector<HTMLElement>(".page")!;
const title = document.querySelector("h1")!;
/** The server says so where nobody but the owner may talk, and a browser is signed in. */
const isSignedIn = document.documentElement.dataset.visitor === "signed-in";

const panel = new Panel(document.querySelector("main")!, {
  words: WORDS,
  mode: "both",
  connect: () => ({
    server,
    agentId,
    getTicket: isSignedIn ? () => askForTicket(server, agentId) : undefined,
  }),
  navigate: (url) => void window.open(url, "_blank", "noopener"),
  ended: ({ code }) => {
    if (code !== undefined && NEEDS_KEY.has(code)) offerSignIn();
  },
});

/** A private agent is talked to by its owner, who may have to sign in first. */
function offerSignIn(): void {
  const way = new URL("sign-in", server);
  way.searchParams.set("next", location.pathname);
  const link = make("a", { href: way.href }, isSignedIn ? "Sign in as its owner" : "Sign in");
  document.querySelector(".notice")!.append(" ", link);
}

document.querySelector(".agent-id")!.textContent = agentId;
keepTheme(page, "auto");
if (isSignedIn)
  void findAgent(server, agentId).then((agent) => {
    if (!agent) return;
    title.textContent = agent.displayName;
    document.title = `${agent.displayName} · Sayso`;
  });
if (new URLSearchParams(location.search).has("focus")) panel.focus();
