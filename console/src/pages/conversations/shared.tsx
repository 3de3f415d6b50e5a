/* A conversation as whoever has its link sees it. */

import { Card, Failure, Page, Waiting } from "../../ui/page";
import { showMoment } from "../../ui/times";
import { sharedRecordingOf, useShared } from "./conversations";
import { Transcript } from "./transcript";

export default function SharedPage({ token }: { token: string }) {
  const shared = useShared(token);
  if (shared.isPending) return <Waiting what="Loading…" />;
  if (shared.error) return <main><Page title="Shared conversation"><Failure error={shared.error} /></Page></main>;
  const { agentName, startedAt, endReasonInWords, transcript, hasRecording } = shared.data;
  return (
    <main>
      <Page title={`A conversation with ${agentName}`} lead={`${showMoment(startedAt)} · ${endReasonInWords}`}>
        <Card flush><Transcript lines={transcript} agentName={agentName} recording={hasRecording ? sharedRecordingOf(token) : null} /></Card>
      </Page>
    </main>
  );
}
