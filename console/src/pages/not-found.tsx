/* An address at which there is nothing. */

import { LinkButton } from "../ui/button";
import { Empty, Page } from "../ui/page";

export default function NotFound() {
  return (
    <Page title="Nothing here">
      <Empty title="There is no page at this address">
        <p>It may have moved, or the agent or conversation it was about was deleted.</p>
        <LinkButton href="/my-agents" kind="primary">Your agents</LinkButton>
      </Empty>
    </Page>
  );
}
