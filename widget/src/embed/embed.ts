/* The page in the frame of the official web embed: `/embed/talk/{webEmbedId}`. */

import { type PageEvent } from "../call";
import { make } from "../element/dom";
import { Panel } from "../element/panel";
import { keepTheme } from "../element/theme";
import { WORDS } from "../element/words";
import { type ConfigParams, isFromPage, readAddress, type ToPage } from "./protocol";

const CONFIG: ConfigParams = {
  buttonText: WORDS.launcher,
  helpText: "",
  screenPosition: "right",
  screenBottomSpacing: 20,
  screenSideSpacing: 20,
};

const agentId = decodeURIComponent(location.pathname.split("/").at(-1)!);
const server = new URL("../../", location.href);
const asked = readAddress(location.search);
const main = document.querySelector("main")!;
const name = document.documentElement.dataset.agent;
const words = { ...WORDS, title: name || WORDS.title };

let events: PageEvent[] = asked.events ?? [];

function tell(message: ToPage): void {
  if (parent !== window && asked.origin) parent.postMessage(message, asked.origin);
}

// What there is to see ------------------------------------------------------------------------

const dot = make("span", { class: "dot", "aria-hidden": "true" });
const launcher = make("button", { type: "button", class: "launcher" }, dot, CONFIG.buttonText);
const close = make("button", { type: "button", class: "close" }, words.close);
const bar = make("div", { class: "bar" }, make("strong", {}, words.title), close);
const body = make("div", { class: "sayso-call" });
const box = make("div", { class: "panel", role: "group", "aria-label": words.title }, bar, body);

const panel = new Panel(body, {
  words,
  mode: "both",
  connect: () => ({ server, agentId, customGreeting: asked.customGreeting, prompt: asked.prompt, events }),
  customEvent: (name, data) => tell({ type: "customEvent", name, data }),
  navigate: (url) => tell({ type: "navigate", pageDefinition: JSON.stringify({ url }) }),
  state: (state) => main.toggleAttribute("data-calling", state !== "ended"),
});

/** The page around us is told how much room we want; it gives a frame no more than it says. */
function minimize(minimized: boolean): void {
  const had = document.hasFocus();
  box.hidden = minimized;
  launcher.hidden = !minimized;
  if (had) minimized ? launcher.focus() : panel.focus();
  resize();
}

function resize(): void {
  main.style.setProperty("--sayso-width", `${Math.min(368, asked.maxWidthPx - 16)}px`);
  main.style.setProperty("--sayso-height", `${Math.min(560, asked.maxHeightPx - 40)}px`);
  const { width, height } = main.getBoundingClientRect();
  tell({ type: "resize", width: Math.ceil(width), height: Math.ceil(height) });
}

launcher.onclick = () => minimize(false);
close.onclick = () => minimize(true);
document.onkeydown = ({ key }) => {
  if (key === "Escape" && !box.hidden) minimize(true);
};

addEventListener("message", ({ data, origin, source }) => {
  if (source !== parent || origin !== asked.origin || !isFromPage(data)) return;
  if (data.type === "setOrToggleMinimized") return minimize(data.minimize ?? !box.hidden);
  // It repeats what stood in the address, and older clients say it here only.
  const known = new Set(data.events.map((event) => event.name));
  events = [...events.filter((event) => !known.has(event.name)), ...data.events];
  panel.call?.extend(data.events);
});

keepTheme(main, "auto");
main.append(box, launcher);
tell({ type: "init", configParams: CONFIG });
minimize(true);
