/* What a signed-in browser may do for its owner's agents. The cookie is HttpOnly: it only goes along. */

const CONSOLE = { "X-Sayso-Console": "1" }; // a form of another website could not send this

/** A short-lived ticket to talk to a private agent; null if this account may not. */
export async function askForTicket(server: URL, agentId: string): Promise<string | null> {
  const path = `api/v1/agents/${encodeURIComponent(agentId)}/tickets`;
  const headers = { ...CONSOLE, "Content-Type": "application/json" };
  const answer = await fetch(new URL(path, server), { method: "POST", headers, body: "{}" });
  if (!answer.ok) return null; // the door says why, in its own words
  return ((await answer.json()) as { ticket: string }).ticket;
}

/** The agent as its owner sees it; null for anybody else. */
export async function findAgent(server: URL, agentId: string): Promise<{ displayName: string } | null> {
  const answer = await fetch(new URL(`api/v1/agents/${encodeURIComponent(agentId)}`, server), { headers: CONSOLE });
  return answer.ok ? ((await answer.json()) as { displayName: string }) : null;
}
