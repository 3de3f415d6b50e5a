/* Starts the console in the page. */

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import "./tokens.css";
import "./base.css";
import { App } from "./app";
import { applyTheme } from "./frame/theme";

applyTheme();
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
