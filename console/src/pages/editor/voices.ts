/* The voices of this server, and how one sounds. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { api, sendJson, take } from "../../api/client";

export function useVoices() {
  return useQuery({ queryKey: ["voices"], staleTime: Infinity, queryFn: () => take(api.GET("/api/v1/voices")) });
}

/** Plays a sentence in a voice; a second call stops the first. */
export function usePreview() {
  const playing = useRef<HTMLAudioElement | null>(null);
  const [state, setState] = useState<"silent" | "loading" | "playing">("silent");
  const [error, setError] = useState<unknown>(null);
  const stop = () => {
    playing.current?.pause();
    playing.current = null;
    setState("silent");
  };
  useEffect(() => () => playing.current?.pause(), []);
  const play = async (voice: string, speed: number | null, text: string) => {
    stop();
    setError(null);
    setState("loading");
    try {
      const response = await sendJson("/api/v1/voices/preview", "POST", { voice, text, ...(speed && { speed }) });
      const url = URL.createObjectURL(await response.blob());
      const audio = new Audio(url);
      playing.current = audio;
      audio.onended = audio.onerror = () => {
        URL.revokeObjectURL(url);
        setState("silent");
      };
      await audio.play();
      setState("playing");
    } catch (caught) {
      setError(caught);
      setState("silent");
    }
  };
  return { state, error, play, stop };
}
