/* What was said, beside its sound: the line that sounds is marked, and each time leads to its place. */

import { useRef, useState } from "react";

import { showLength } from "../../ui/times";
import styles from "./transcript.module.css";

interface Said {
  role: "assistant" | "user";
  content: string;
  startSeconds: number | null;
}

interface TranscriptProps {
  lines: readonly Said[];
  agentName: string;
  /** Address of the sound of both sides; null if there is none. */
  recording: string | null;
}

export function Transcript({ lines, agentName, recording }: TranscriptProps) {
  const audio = useRef<HTMLAudioElement>(null);
  const [nowS, setNowS] = useState<number | null>(null);
  const playing = nowS === null ? -1 : lines.findLastIndex(({ startSeconds }) => startSeconds !== null && startSeconds <= nowS + 0.05);
  const seek = (seconds: number) => {
    if (!audio.current) return;
    audio.current.currentTime = seconds;
    void audio.current.play();
  };
  return (
    <>
      {recording && (
        <div className={styles.player}>
          <audio
            ref={audio} controls preload="metadata" src={recording} aria-label="Recording of both sides: the caller left, the agent right"
            onTimeUpdate={(event) => setNowS(event.currentTarget.currentTime)} onEnded={() => setNowS(null)}
          />
        </div>
      )}
      <ol className={styles.lines} aria-label="Transcript">
        {lines.map(({ role, content, startSeconds }, n) => (
          <li key={n} className={styles.line} data-who={role} data-now={n === playing || undefined}>
            {startSeconds !== null && recording
              ? <button type="button" className={styles.time} aria-label={`Play from ${showLength(startSeconds)}`} onClick={() => seek(startSeconds)}>{showLength(startSeconds)}</button>
              : <span className={styles.time}>{startSeconds === null ? "" : showLength(startSeconds)}</span>}
            <p><span className={styles.who}>{role === "assistant" ? agentName : "Caller"}</span><br />{content}</p>
          </li>
        ))}
      </ol>
    </>
  );
}
