/* Addresses of the servers that most people have. */

import { Button } from "../../../ui/button";
import styles from "../editor.module.css";

/** Where each listens unless it is told otherwise. */
const PRESETS = [
  ["Ollama", "http://127.0.0.1:11434/v1"],
  ["LM Studio", "http://127.0.0.1:1234/v1"],
  ["vLLM", "http://127.0.0.1:8000/v1"],
  ["OpenAI", "https://api.openai.com/v1"],
  ["OpenRouter", "https://openrouter.ai/api/v1"],
] as const;

export function Presets({ onChoose }: { onChoose: (baseURL: string) => void }) {
  return (
    <div role="group" aria-label="Usual addresses" className={styles.buttons}>
      {PRESETS.map(([name, baseURL]) => <Button key={name} small title={baseURL} onClick={() => onChoose(baseURL)}>{name}</Button>)}
    </div>
  );
}
