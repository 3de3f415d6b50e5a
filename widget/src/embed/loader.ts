/* The page's side of the embed: `PlayAI.openEmbed(id)`, for pages that were written for it.
 *
 * Written anew after the frame's protocol (`protocol.ts`); `embed.js` is this with the server it
 * came from. The same page can use <sayso-talk> instead, which needs no frame.
 */

import type { PageEvent } from "../call";
import { isPage } from "../call/pages";
import type { FromPage, ToPage } from "./protocol";

const INIT_WITHIN_MS = 20_000;
const ID = "play-ai-embed";

export interface EmbedOptions {
  events?: PageEvent[];
  onEvent?(event: { name: string; data: unknown }): void;
  customGreeting?: string;
  prompt?: string;
}

export interface Embed {
  setOrToggleMinimized(minimize?: boolean): void;
  /** The documented name of the same. */
  setMinimized(minimize?: boolean): void;
}

/** Puts the talk button of an agent on this page. */
export function openEmbed(webEmbedId: string, options: EmbedOptions, server: URL): Embed {
  const frame = document.createElement("iframe");
  frame.id = ID;
  frame.title = "Talk";
  frame.allow = "microphone";
  frame.src = addressOf(webEmbedId, options, server);
  Object.assign(frame.style, {
    position: "fixed", bottom: "0", right: "0", width: "0", height: "0", opacity: "0",
    maxWidth: "100vw", border: "none", zIndex: "9999", background: "transparent", colorScheme: "light",
  });
  document.getElementById(ID)?.remove();
  document.body.append(frame);

  const tell = (message: FromPage) => frame.contentWindow?.postMessage(message, server.origin);
  const timer = setTimeout(() => frame.remove(), INIT_WITHIN_MS);
  addEventListener("message", ({ data, source, origin }: MessageEvent<ToPage>) => {
    if (source !== frame.contentWindow || origin !== server.origin) return;
    if (data.type === "init") {
      clearTimeout(timer);
      place(frame, data.configParams);
      tell({ type: "extendConversationSetup", events: options.events ?? [] });
    }
    if (data.type === "resize")
      Object.assign(frame.style, { width: `${data.width}px`, height: `${data.height}px` });
    if (data.type === "navigate") navigate(data.pageDefinition);
    if (data.type === "customEvent") options.onEvent?.({ name: data.name, data: data.data });
  });

  const setOrToggleMinimized = (minimize?: boolean) => tell({ type: "setOrToggleMinimized", minimize });
  return { setOrToggleMinimized, setMinimized: setOrToggleMinimized };
}

/** `origin`, `currentUrl` and `events` are encoded once here and once by the address itself. */
function addressOf(id: string, options: EmbedOptions, server: URL): string {
  const address = new URL(`embed/talk/${encodeURIComponent(id)}`, server);
  const set = (name: string, value: string | undefined) => value && address.searchParams.set(name, value);
  set("origin", encodeURIComponent(location.origin));
  set("currentUrl", encodeURIComponent(location.href));
  set("maxWidth", `${innerWidth}px`);
  set("maxHeight", `${innerHeight}px`);
  set("customGreeting", options.customGreeting);
  set("prompt", options.prompt);
  if (options.events?.length) set("events", encodeURIComponent(JSON.stringify(options.events)));
  return address.href;
}

function place({ style }: HTMLElement, config: Extract<ToPage, { type: "init" }>["configParams"]): void {
  style.bottom = `${config.screenBottomSpacing}px`;
  style.opacity = "1";
  if (config.screenPosition !== "center") {
    style.left = style.right = "auto";
    style[config.screenPosition] = `${config.screenSideSpacing}px`;
    return;
  }
  style.left = "50%";
  style.transform = "translateX(-50%)";
}

function navigate(pageDefinition: string): void {
  const { url } = JSON.parse(pageDefinition) as { url?: string };
  if (url && isPage(url, location.href) && url !== location.href) location.href = url;
}
