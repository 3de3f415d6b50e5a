/* widget.js: defines the element. */

import { SaysoTalk } from "./element";

if (!customElements.get("sayso-talk")) customElements.define("sayso-talk", SaysoTalk);
