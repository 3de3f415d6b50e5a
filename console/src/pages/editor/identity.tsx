/* Who the agent is: its name, its picture, its voice. */

import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";

import { send } from "../../api/client";
import { Button } from "../../ui/button";
import { SelectField } from "../../ui/field";
import { Icon } from "../../ui/icons";
import { Card, Failure } from "../../ui/page";
import { refreshAgents } from "../agents/agents";
import { Avatar } from "../agents/avatar";
import { useDraft } from "./draft";
import styles from "./editor.module.css";
import { DraftArea, DraftNumber, DraftSelect, DraftText } from "./fields";
import { usePreview, useVoices } from "./voices";

const LANGUAGES = [
  "english", "french", "german", "greek", "hindi", "italian", "japanese", "korean", "malay", "mandarin", "polish",
  "portuguese", "russian", "spanish", "thai", "turkish", "arabic",
] as const;
const NAMED = LANGUAGES.map((name) => [name, name.replace(/^./, (letter) => letter.toUpperCase())] as const);
const SPOKEN = [
  ["auto", "Put into words, in English"],
  ["on", "Put into words, always in English"],
  ["off", "Given to the voice as they are written"],
] as const;
const SAMPLE = "Hello! This is how I sound when I talk with you.";

export default function Identity() {
  return (
    <>
      <Card side title="Who it is">
        <DraftText name="displayName" label="Name" required maxLength={250} />
        <DraftArea name="description" label="Description" rows={2} required maxLength={500} note="For you and for visitors; the agent does not read it." />
        <Picture />
      </Card>
      <Card side title="How it sounds">
        <Voice />
        <div className={styles.columns}>
          <DraftNumber name="voiceSpeed" label="Speed" min={0.5} max={1.5} step={0.05} placeholder="1" note="0.5 to 1.5; empty is 1." />
          <DraftSelect name="applyTextNormalization" label="Numbers, dates and links" options={SPOKEN} />
          <DraftSelect name="language" label="Language" options={NAMED} note="The bundled ears and voices know English. For others, connect speech engines of your own." />
        </div>
      </Card>
    </>
  );
}

function Voice() {
  const { value, set } = useDraft();
  const voices = useVoices();
  const preview = usePreview();
  const voice = value("voice");
  const usual = voices.data?.[0]; // it speaks for voices that are not on this server
  const isListed = voices.data?.some(({ id }) => id === voice);
  const isSilent = preview.state === "silent";
  return (
    <>
      <div className={styles.beside}>
        <SelectField label="Voice" value={voice} onChange={(event) => set("voice", event.target.value)} error={voices.error?.message}>
          {!isListed && <option value={voice}>The usual voice of this server{usual && `: ${usual.name}`}</option>}
          {voices.data?.map(({ id, name, gender, description }) => <option key={id} value={id}>{[name, gender, description].filter(Boolean).join(" · ")}</option>)}
        </SelectField>
        <Button
          aria-pressed={!isSilent}
          onClick={() => (isSilent ? void preview.play(voice, value("voiceSpeed"), value("greeting") || SAMPLE) : preview.stop())}
        >
          <Icon name={isSilent ? "play" : "pause"} size={16} />
          {preview.state === "loading" ? "Speaking…" : isSilent ? "Listen" : "Stop"}
        </Button>
      </div>
      <Failure error={preview.error} />
    </>
  );
}

function Picture() {
  const { agent } = useDraft();
  const queries = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [error, setError] = useState<unknown>(null);
  const change = async (init: RequestInit) => {
    setError(null);
    try {
      await send(`/api/v1/agents/${agent.id}/avatar`, init);
      await refreshAgents(queries);
    } catch (caught) {
      setError(caught);
    }
  };
  return (
    <div className={styles.picture}>
      <Avatar name={agent.displayName} url={agent.avatarPhotoUrl} />
      <input ref={input} type="file" accept="image/png,image/jpeg,image/webp,image/gif" hidden onChange={(event) => {
        const file = event.target.files?.[0];
        if (file) void change({ method: "PUT", body: file, headers: { "Content-Type": file.type } });
        event.target.value = "";
      }} />
      <Button onClick={() => input.current?.click()}>Choose a picture</Button>
      {agent.avatarPhotoUrl && <Button kind="quiet" onClick={() => void change({ method: "DELETE" })}>Remove it</Button>}
      <Failure error={error} />
    </div>
  );
}
