/* embed.js: the global `PlayAI` that pages with the official snippet expect, from this server. */

import { type EmbedOptions, openEmbed } from "./loader";

const server = new URL("./", (document.currentScript as HTMLScriptElement).src);
const open = (id: string, options: EmbedOptions = {}) => openEmbed(id, options, server);

Object.assign(globalThis, { PlayAI: { openEmbed: open, open } });
