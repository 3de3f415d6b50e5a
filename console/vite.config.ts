import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const SERVER = "http://127.0.0.1:8400";

/** What most pages need comes in one file: a page is there after it and one of its own. */
const SHARED = /rolldown\/runtime|\/node_modules\/(react|react-dom|scheduler|wouter|@tanstack|openapi-fetch)\/|\/src\/(api|frame|session\/(session|door)|ui\/(?!menu|talk-panel)|pages\/agents\/(agents|avatar))/;

/** Lays packed copies beside each script and stylesheet; the server sends one to whoever can unpack it. */
const pack: Plugin = {
  name: "pack",
  async writeBundle({ dir = "" }, bundle) {
    for (const fileName of Object.keys(bundle).filter((name) => /\.(js|css)$/.test(name))) {
      const path = join(dir, fileName);
      const content = await readFile(path);
      await writeFile(`${path}.gz`, gzipSync(content, { level: 9 }));
      await writeFile(`${path}.br`, brotliCompressSync(content)); // at its best, which is its usual
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
    cssCodeSplit: false, // 9 kB in all: one file is there sooner than a few are
    manifest: "manifest.json", // by it the server names a page's files before its scripts ask for them
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "shared", test: SHARED }] } } },
  },
  css: { modules: { localsConvention: "camelCaseOnly" } },
  test: { include: ["tests/*.test.ts"], setupFiles: ["tests/place.ts"], isolate: false },
  server: { proxy: { "/api": SERVER, "/v1": { target: SERVER, ws: true }, "/static": SERVER } },
});
