import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const SERVER = "http://127.0.0.1:8400";

export default defineConfig({
  base: "/static/console/",
  plugins: [react()],
  build: {
    outDir: "../src/sayso/console/static/console",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the policy of the pages allows no data: scripts or styles
    chunkSizeWarningLimit: 500,
  },
  css: { modules: { localsConvention: "camelCaseOnly" } },
  server: { proxy: { "/api": SERVER, "/v1": { target: SERVER, ws: true }, "/static": SERVER } },
});
