/* A conversation as whoever has its link sees it. */

import { Card, Failure, Page, Waiting } from "../../ui/page";
import { showMoment } from "../../ui/times";
import { sharedRecordingOf, useShared } from "./conversations";
import styles from "./shared.module.css";
import { Transcript } from "./transcript";

export default function SharedPage({ token }: { token: string }) {
  const shared = useShared(token);
  if (shared.isPending) return <Waiting what="Loading…" />;
  if (shared.error) return <main><Page title="Shared conversation"><Failure error={shared.error} /></Page></main>;
  const { agentName, startedAt, endReasonInWords, transcript, hasRecording } = shared.data;
  return (
    <main>
      <p className={styles.sayso}><img src="/static/icon.svg" alt="" width="22" height="22" />Sayso</p>
      <Page title={`A conversation with ${agentName}`} lead={`${showMoment(startedAt)} · ${endReasonInWords}`}>
        <Card flush><Transcript lines={transcript} agentName={agentName} recording={hasRecording ? sharedRecordingOf(token) : null} /></Card>
      </Page>
    </main>
  );
}
