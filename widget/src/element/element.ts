/* <sayso-talk>: a talk button for anybody's page.
 *
 *     <script src="https://sayso.example/widget.js" async></script>
 *     <sayso-talk agent-id="…"></sayso-talk>
 *
 * What the page around it must allow, if it has a Content-Security-Policy: `script-src` and
 * `connect-src` of the Sayso server (https: and wss:). Styles need nothing: they are constructed,
 * which policies do not ask about. A frame around the page needs `allow="microphone"`.
 */

import type { CallOptions, Ending, Line, PageEvent, Variable } from "../call";
import { make } from "./dom";
import elementCss from "./element.css?inline";
import panelCss from "./panel.css?inline";
import { Panel } from "./panel";
import { inkOn, keepTheme, type Theme } from "./theme";
import { type Mode, WORDS, type Words } from "./words";

/** Where this script came from: the server it belongs to. */
const HOME = (document.currentScript as HTMLScriptElement | null)?.src ?? location.href;

const MODES: readonly string[] = ["voice", "text", "both"];
const SIDES = ["left", "center", "top", "inline"]; // right and bottom are the usual ones

export class SaysoTalk extends HTMLElement {
  static observedAttributes = ["open", "position", "theme", "accent", "accent-ink"];

  /** Fetches a ticket for a private agent as the call starts; wins over the attribute `ticket`. */
  getTicket: (() => Promise<string | null> | string | null) | null = null;
  /** What the page can do for the agent; wins over the attribute of this name. */
  events: PageEvent[] | null = null;
  variables: Record<string, Variable> | null = null;

  #frame: HTMLElement | null = null;
  #panel: Panel | null = null;
  #box: HTMLElement | null = null;
  #launcher: HTMLButtonElement | null = null;
  #forgetTheme = () => {};

  connectedCallback(): void {
    if (!this.#frame) this.#build();
    this.#arrange();
  }

  disconnectedCallback(): void {
    this.#panel?.hangUp();
    this.#forgetTheme();
  }

  attributeChangedCallback(): void {
    if (this.#frame) this.#arrange();
  }

  // What the page may do ------------------------------------------------------------------------

  open(): void {
    this.toggleAttribute("open", true);
  }

  close(): void {
    this.toggleAttribute("open", false);
  }

  /** Opens it and starts a call; must come from a click, because of the sound. */
  async start(): Promise<void> {
    this.open();
    await this.#panel?.start();
  }

  end(): void {
    this.#panel?.hangUp();
  }

  /** Types for the caller. */
  say(text: string): void {
    this.#panel?.call?.say(text);
  }

  /** Tells the agent something, such as what came of a `customevent`. */
  tell(text: string): void {
    this.#panel?.call?.tell(text);
  }

  // How it is made ------------------------------------------------------------------------------

  #build(): void {
    const shadow = this.attachShadow({ mode: "open" });
    style(shadow, panelCss + elementCss);
    const words = this.#words;
    const label = make("slot", { name: "launcher" }, words.launcher);
    const dot = make("span", { class: "dot", "aria-hidden": "true" });
    this.#launcher = make("button", { type: "button", class: "launcher", "aria-expanded": "false" }, dot, label);
    const close = make("button", { type: "button", class: "close" }, words.close);
    const bar = make("div", { class: "bar" }, make("strong", {}, make("slot", { name: "title" }, words.title)), close);
    const body = make("div", { class: "sayso-call" });
    this.#box = make("div", { class: "panel", role: "dialog", "aria-label": words.title }, bar, body);
    this.#frame = make("div", { class: "frame sayso" }, this.#box, this.#launcher);
    this.#panel = this.#makePanel(body, words);
    shadow.append(this.#frame);

    this.#launcher.onclick = () => this.toggleAttribute("open");
    close.onclick = () => this.close();
    this.#frame.onkeydown = (event) => {
      if (event.key === "Escape" && this.hasAttribute("open")) this.close();
    };
  }

  #makePanel(body: HTMLElement, words: Words): Panel {
    const mode = this.getAttribute("mode") ?? "both";
    return new Panel(body, {
      words,
      mode: (MODES.includes(mode) ? mode : "both") as Mode,
      connect: () => this.#options(),
      connected: (conversationId) => this.#tell("connect", { conversationId }),
      transcript: ({ who, text }: Line) => this.#tell("transcript", { who, text }),
      customEvent: (name, data) => this.#tell("customevent", { name, data }),
      navigate: (url) => this.#tell("navigate", { url }),
      state: (state) => this.#frame?.toggleAttribute("data-calling", state !== "ended"),
      ended: (ending) => this.#tellEnd(ending),
    });
  }

  #arrange(): void {
    const frame = this.#frame!;
    const position = this.getAttribute("position") ?? "bottom-right";
    for (const side of SIDES) frame.classList.toggle(side, position.includes(side));
    this.#forgetTheme();
    this.#forgetTheme = keepTheme(frame, (this.getAttribute("theme") ?? "auto") as Theme);
    const accent = this.getAttribute("accent");
    const ink = this.getAttribute("accent-ink") ?? (accent && inkOn(accent));
    for (const [name, value] of [["--sayso-accent", accent], ["--sayso-accent-ink", ink]] as const)
      if (value) frame.style.setProperty(name, value);
    this.#unfold(position === "inline" || this.hasAttribute("open"));
  }

  #unfold(isOpen: boolean): void {
    const box = this.#box!;
    const launcher = this.#launcher!;
    const changes = box.hidden === isOpen || !launcher.isConnected;
    const hadFocus = this.shadowRoot?.activeElement != null;
    box.hidden = !isOpen;
    launcher.setAttribute("aria-expanded", `${isOpen}`);
    if (!changes) return;
    if (hadFocus) isOpen ? this.#panel?.focus() : launcher.focus();
    if (isOpen) this.#tell("open", {});
  }

  get #words(): Words {
    const words: Record<string, string> = { ...WORDS };
    for (const key of Object.keys(WORDS)) words[key] = this.getAttribute(`text-${key}`) ?? WORDS[key as keyof Words];
    const name = this.getAttribute("name");
    if (name) words.title = name;
    return words as Words;
  }

  #options(): CallOptions {
    const text = (name: string) => this.getAttribute(name) ?? undefined;
    return {
      server: serverOf(text("server")),
      agentId: text("agent-id") ?? text("agent") ?? "",
      apiKey: text("ticket"),
      getTicket: this.getTicket ?? undefined,
      customGreeting: text("greeting"),
      prompt: text("prompt"),
      callerId: text("caller-id"),
      events: this.events ?? parse<PageEvent[]>(text("events")),
      variables: this.variables ?? parse<Record<string, Variable>>(text("variables")),
    };
  }

  #tellEnd(ending: Ending): void {
    this.#frame?.removeAttribute("data-calling");
    if (ending.by === "error") this.#tell("error", { message: ending.sentence, code: ending.code });
    this.#tell("ended", { by: ending.by, reason: ending.sentence });
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** The base URL of the server, which may be below a path; without one, this script's. */
function serverOf(named: string | undefined): URL {
  return new URL("./", named ? new URL(named.replace(/\/*$/, "/"), location.href) : HOME);
}

/** JSON of an attribute; what cannot be read is told to the page's author. */
function parse<T>(json: string | undefined): T | undefined {
  return json ? (JSON.parse(json) as T) : undefined;
}

function style(shadow: ShadowRoot, css: string): void {
  if ("adoptedStyleSheets" in shadow) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    shadow.adoptedStyleSheets = [sheet];
  } else (shadow as ShadowRoot).append(make("style", {}, css)); // Safari before 16.4
}
