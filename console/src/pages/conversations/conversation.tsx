/* One conversation: heard, read, and taken apart turn by turn. */

import { useState } from "react";
import { Link, useLocation } from "wouter";

import { Button } from "../../ui/button";
import { Code, copyText } from "../../ui/copy";
import { Dialog } from "../../ui/dialog";
import { Icon, type IconName } from "../../ui/icons";
import { MoreMenu } from "../../ui/menu";
import { Badge, Card, Failure, Notice, Page, Waiting } from "../../ui/page";
import { saveFrom } from "../../ui/save";
import { showLength, showMoment } from "../../ui/times";
import { useSay } from "../../ui/toast";
import styles from "./conversation.module.css";
import { exportOf, recordingOf, useConversation, useDeleteConversation, useExchanges, useRate, useShare, useWords, type Conversation } from "./conversations";
import { Transcript } from "./transcript";
import { TurnCard } from "./turn-card";

export default function ConversationPage({ id }: { id: string }) {
  const conversation = useConversation(id);
  if (conversation.isPending) return <Waiting what="Loading the conversation…" />;
  if (conversation.error) return <Page title="Conversation"><Failure error={conversation.error} /></Page>;
  return <Opened shown={conversation.data} />;
}

function Opened({ shown }: { shown: Conversation }) {
  const { transcript, turns } = useWords(shown);
  const exchanges = useExchanges(shown.id);
  const of = (reply: number) => exchanges.data?.filter((each) => each.reply === reply) ?? [];
  return (
    <Page title={shown.agentName} lead={showMoment(shown.startedAt)} actions={<Actions shown={shown} />}>
      <Facts shown={shown} />
      {shown.messages.map((left, n) => <Notice key={n} kind="good"><p>The caller left a message: “{left.message}” {[left.name, left.phoneNumber].filter(Boolean).join(", ")}</p></Notice>)}
      {shown.recordingLost && <Notice kind="warning"><p>The recording was given up: the disk was too slow or full.</p></Notice>}
      <Failure error={transcript.error ?? turns.error ?? exchanges.error} />
      <div className={styles.columns}>
        <Card title="What was said" flush>
          {transcript.isPending && <Waiting what="Loading the transcript…" />}
          {transcript.data?.length === 0 && <p className={styles.none}>{shown.underWay ? "Nothing was said yet." : "Nothing was said."}</p>}
          {transcript.data && <Transcript lines={transcript.data} agentName={shown.agentName} recording={shown.hasRecording ? recordingOf(shown.id) : null} />}
        </Card>
        <Card title="Turn by turn" flush>
          {turns.isPending && <Waiting what="Loading the turns…" />}
          <ol>{turns.data?.map((turn) => <TurnCard key={turn.id} turn={turn} exchanges={of(turn.number)} />)}</ol>
          {turns.data?.length === 0 && <p className={styles.none}>{shown.underWay ? "No turn was taken yet." : "No turn was taken."}</p>}
          {!shown.underWay && !shown.hasRecording && <p className={styles.none}>It was not recorded: the agent, or the operator, does not want that.</p>}
        </Card>
      </div>
    </Page>
  );
}

function Facts({ shown }: { shown: Conversation }) {
  const { id, agentId, agentName, source, callerId, durationInSeconds, underWay, endReasonInWords, errorCode } = shown;
  const facts: readonly (readonly [string, React.ReactNode])[] = [
    ["Ended", underWay ? <Badge kind="accent">Under way</Badge> : <>{endReasonInWords}{errorCode !== null && ` (${errorCode})`}</>],
    ["Length", durationInSeconds === null ? "–" : showLength(durationInSeconds)],
    ["Agent", <Link href={`/my-agents/${agentId}/identity`}>{agentName}</Link>],
    ["Came by", source === "web" ? "A page" : "The API"],
    ...(callerId ? [["Caller", callerId] as const] : []),
    ["Id", <code>{id}</code>],
  ];
  return <Card flush><dl className={styles.facts}>{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl></Card>;
}

function Actions({ shown }: { shown: Conversation }) {
  const rate = useRate(shown.id);
  const [asks, setAsks] = useState<"share" | "delete" | null>(null);
  const say = useSay();
  const fail = (error: Error) => say(error.message);
  const thumb = (rating: "up" | "down", sign: IconName, label: string) => (
    <Button
      square aria-label={label} title={label} aria-pressed={shown.rating === rating} kind={shown.rating === rating ? "primary" : "plain"}
      onClick={() => rate.mutate(shown.rating === rating ? null : rating, { onError: fail })}
    ><Icon name={sign} /></Button>
  );
  return (
    <>
      <span className={styles.thumbs}>{thumb("up", "good", "Good")}{thumb("down", "bad", "Bad")}</span>
      <Button onClick={() => setAsks("share")}><Icon name="share" size={16} />{shown.shareToken ? "Shared" : "Share"}</Button>
      <MoreMenu label="More" items={[
        { label: "Copy the id", icon: "copy", onChoose: () => void copyText(shown.id).then(() => say("The id is copied."), fail) },
        { label: "Export as JSON", icon: "download", onChoose: () => saveFrom(exportOf(shown.id), `conversation-${shown.id}.json`) },
        { label: "Delete", icon: "trash", danger: true, onChoose: () => setAsks("delete") },
      ]} />
      {asks === "share" && <Share shown={shown} onClose={() => setAsks(null)} />}
      {asks === "delete" && <Delete shown={shown} onClose={() => setAsks(null)} />}
    </>
  );
}

function Share({ shown, onClose }: { shown: Conversation; onClose: () => void }) {
  const share = useShare(shown.id);
  const isShared = shown.shareToken !== null;
  return (
    <Dialog
      title="Share this conversation" isOpen onClose={onClose}
      foot={<><Button onClick={onClose}>Close</Button><Button kind={isShared ? "danger" : "primary"} busy={share.isPending} onClick={() => share.mutate(!isShared)}>{isShared ? "Take the link back" : "Make a link"}</Button></>}
    >
      <p>Whoever has the link can read what was said and hear it. What was asked of the LLM is not shown.</p>
      {shown.shareToken && <Code wrap title="Link" code={`${location.origin}/shared/${shown.shareToken}`} />}
      <Failure error={share.error} />
    </Dialog>
  );
}

function Delete({ shown, onClose }: { shown: Conversation; onClose: () => void }) {
  const remove = useDeleteConversation();
  const [, go] = useLocation();
  return (
    <Dialog
      title="Delete this conversation?" isOpen onClose={onClose}
      foot={<><Button onClick={onClose}>Keep it</Button><Button kind="danger" busy={remove.isPending} onClick={() => remove.mutate(shown.id, { onSuccess: () => go("/conversations") })}>Delete</Button></>}
    >
      <p>Its transcript, its sound and its times are gone for good.</p>
      <Failure error={remove.error} />
    </Dialog>
  );
}
