/* What a page can do for the agent: an example to copy. */

import { Code } from "../../../ui/copy";
import { Card } from "../../../ui/page";
import { useDraft } from "../draft";
import { writePageEvents } from "../deploy/snippets";

export function PageEvents() {
  const { agent } = useDraft();
  return (
    <Card side title="Page events">
      <p>The page that the caller is on can lend the agent actions of its own. It says what it can do and when, is told when the agent wants it done, and can tell the agent what came of it.</p>
      <Code title="HTML" code={writePageEvents(agent.id, location.origin)} />
    </Card>
  );
}
