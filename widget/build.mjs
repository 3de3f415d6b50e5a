/* Builds everything into src/sayso/console/static/widget/, and prints what it weighs.
 *
 *   talk.html, embed.html, preview.html   pages, and assets/ with hashed names for them
 *   widget.js    the element, one classic script for foreign pages
 *   sound.js     the audio thread's half; classes keep their names, for tests that look into it
 *   embed.js     the page's side of the official embed's protocol
 *   sizes.json   bytes of each, gzipped
 */
import { rm, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "vite";

const HERE = dirname(fileURLToPath(import.meta.url));
const OUT = join(HERE, "../src/sayso/console/static/widget");
const FRESH = join(HERE, "build"); // taken over whole, so that nobody sees half of it
const PAGES = { talk: "src/page/talk.html", embed: "src/embed/embed.html", preview: "src/embed/preview.html" };
const SCRIPTS = { widget: "src/element/index.ts", sound: "src/call/worklet.ts", embed: "src/embed/global.ts" };
const MAX_ELEMENT_BYTES = 25_000; // gzipped, with the audio thread's half

const shared = { root: HERE, configFile: false, logLevel: "warn", publicDir: false };

await rm(FRESH, { recursive: true, force: true });
await build({
  ...shared,
  base: "./",
  plugins: [{ name: "icon-of-the-server", enforce: "pre", resolveId: (id) => (id.endsWith("/static/icon.svg") ? { id, external: true } : null) }],
  experimental: { renderBuiltUrl: urlOf },
  build: { ...options(), modulePreload: { polyfill: false }, rolldownOptions: { input: PAGES } },
});
for (const [name, page] of Object.entries(PAGES)) await rename(join(FRESH, page), join(FRESH, `${name}.html`));
await rm(join(FRESH, "src"), { recursive: true });
for (const [name, entry] of Object.entries(SCRIPTS))
  await build({
    ...shared,
    build: {
      ...options(),
      rolldownOptions: {
        input: join(HERE, entry),
        output: {
          entryFileNames: `${name}.js`,
          format: name === "sound" ? "es" : "iife",
          codeSplitting: false,
          minify: name === "sound" ? { compress: true, mangle: false, codegen: { removeWhitespace: true } } : true,
        },
      },
    },
  });
await pack();
await rm(OUT, { recursive: true, force: true });
await rename(FRESH, OUT);
await weigh();

function options() {
  return { outDir: FRESH, emptyOutDir: false, target: "es2022", assetsInlineLimit: 0, reportCompressedSize: false };
}

/** Pages are served at /agent/{id} and /embed/talk/{id}, and perhaps below a path: all is relative. */
function urlOf(filename, { hostId, hostType }) {
  if (hostType !== "html") return { relative: true };
  const up = hostId.endsWith("talk.html") ? "../" : "../../";
  return posix.join(`${up}static/widget`, filename);
}

/** The server sends these to whoever can unpack them. */
async function pack() {
  for (const name of await readdir(FRESH, { recursive: true }))
    if (/\.(js|css)$/.test(name)) {
      const content = await readFile(join(FRESH, name));
      await writeFile(join(FRESH, `${name}.gz`), gzipSync(content, { level: 9 }));
      await writeFile(join(FRESH, `${name}.br`), brotliCompressSync(content));
    }
}

async function weigh() {
  const names = (await readdir(OUT, { recursive: true })).filter((name) => /\.(js|css|html)$/.test(name)).sort();
  const sizes = {};
  for (const name of names) sizes[name.replace(/-[\w-]{8}\./, ".")] = gzipSync(await readFile(join(OUT, name))).length;
  for (const [name, bytes] of Object.entries(sizes)) console.log(`${String(bytes).padStart(7)}  ${name}`);
  const element = sizes["widget.js"] + sizes["sound.js"];
  console.log(`${String(element).padStart(7)}  <sayso-talk> in all, of ${MAX_ELEMENT_BYTES} at most (bytes, gzipped)`);
  await writeFile(join(OUT, "sizes.json"), `${JSON.stringify(sizes, null, 2)}\n`);
  if (element > MAX_ELEMENT_BYTES) process.exitCode = 1;
}
