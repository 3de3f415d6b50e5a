/* `/embed/talk/preview?websiteUrl=…&webEmbedId=…`: the talk button over somebody's site.
 *
 * Many sites refuse to stand in a frame; the button is there all the same.
 */

import { make } from "../element/dom";
import { keepTheme } from "../element/theme";
import { openEmbed } from "./loader";

const given = new URLSearchParams(location.search);
const website = given.get("websiteUrl") ?? "";
const webEmbedId = given.get("webEmbedId");
const main = document.querySelector("main")!;

keepTheme(main, "auto");
const isSite = /^https?:/.test(website) && URL.canParse(website);
if (isSite) main.append(make("iframe", { src: website, class: "site", title: website, sandbox: "allow-scripts allow-same-origin" }));
else main.append(hint());
if (webEmbedId) openEmbed(webEmbedId, {}, new URL("../../", location.href));

function hint(): HTMLElement {
  const path = "/embed/talk/preview?websiteUrl=…&webEmbedId=…";
  return make("p", { class: "hint" }, `Name a website and an agent in this page's address: ${path}`);
}
