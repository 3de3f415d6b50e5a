/* What is there on the audio thread; TypeScript's own libraries leave it out. */

declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
  abstract process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
}
declare const sampleRate: number;
declare const currentTime: number;
declare function registerProcessor(
  name: string,
  kind: new (options: { processorOptions: { rateHz: number } }) => AudioWorkletProcessor,
): void;
