/* Lays the files that PlayAI's own browser client loads from its server (`/silero_vad.onnx`,
 * `/ort/*.wasm`) into src/sayso/console/static/official/, and its package into node_modules, for the
 * tests. Not part of the build: 42 MB that <sayso-talk> does not need. Both packages allow it (the
 * detector and ONNX Runtime are MIT, @ricky0123/vad-web is ISC); the client states no licence, so it
 * is installed here and goes nowhere else.
 *
 *   npm run official
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGES = ["@play-ai/agent-web-sdk@0.2.12", "@ricky0123/vad-web@0.0.19", "onnxruntime-web@1.16.3"];
const HERE = dirname(fileURLToPath(import.meta.url));
const CLIENT = join(HERE, "official-client"); // apart: no package of ours depends on these
const OUT = join(HERE, "../src/sayso/console/static/official");

mkdirSync(CLIENT, { recursive: true });
const options = ["--prefix", CLIENT, "--no-audit", "--no-fund", "--ignore-scripts"];
execFileSync("npm", ["install", ...options, ...PACKAGES], { cwd: CLIENT, stdio: "inherit" });

const modules = join(CLIENT, "node_modules");
mkdirSync(join(OUT, "ort"), { recursive: true });
copyFileSync(join(modules, "@ricky0123/vad-web/dist/silero_vad.onnx"), join(OUT, "silero_vad.onnx"));
const runtime = join(modules, "onnxruntime-web/dist");
for (const name of readdirSync(runtime))
  if (name.endsWith(".wasm") && !name.includes("jsep")) copyFileSync(join(runtime, name), join(OUT, "ort", name));
