/* The sound card: an audio context with our worklet on its audio thread. */

import { INSECURE } from "./sentences";

export const MICROPHONE_HZ = 16_000;
export const SPEAKER_HZ = 24_000;

/** Sound cannot be used; `message` tells a person why. */
export class SoundError extends Error {}

/**
 * Opens the sound card. Call it from a click: browsers keep a page silent until then.
 *
 * The context keeps its native rate (see `worklet.ts`). Throws SoundError.
 */
export async function openSound(workletUrl: string | URL): Promise<AudioContext> {
  const context = new AudioContext({ latencyHint: "interactive" });
  if (!context.audioWorklet) {
    await context.close();
    throw new SoundError(INSECURE);
  }
  // Some browsers settle this promise only after a click; nobody has to wait for it.
  context.resume().catch(() => {});
  // A telephone call on the device, or another program that takes the sound, suspends it (iOS).
  context.onstatechange = () => {
    if (context.state !== "running" && context.state !== "closed") context.resume().catch(() => {});
  };
  try {
    await context.audioWorklet.addModule(workletUrl);
  } catch {
    await context.close();
    const { origin } = new URL(workletUrl);
    throw new SoundError(
      `The sound could not be loaded from ${origin}. This website's Content-Security-Policy may have to allow it.`,
    );
  }
  return context;
}
