import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const SERVER = "http://127.0.0.1:8400";

/** Lays a packed copy beside each script and stylesheet; the server sends it to whoever can unpack it. */
const pack: Plugin = {
  name: "pack",
  async writeBundle({ dir = "" }, bundle) {
    for (const fileName of Object.keys(bundle).filter((name) => /\.(js|css)$/.test(name))) {
      const path = join(dir, fileName);
      await writeFile(`${path}.gz`, gzipSync(await readFile(path), { level: 9 }));
    }
  },
};

export default defineConfig({
  base: "/static/console/",
  plugins: [react(), pack],
  build: {
    outDir: "../src/sayso/console/static/console",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the policy of the pages allows no data: scripts or styles
    chunkSizeWarningLimit: 500,
  },
  css: { modules: { localsConvention: "camelCaseOnly" } },
  test: { include: ["tests/*.test.ts"], setupFiles: ["tests/place.ts"], isolate: false },
  server: { proxy: { "/api": SERVER, "/v1": { target: SERVER, ws: true }, "/static": SERVER } },
});
