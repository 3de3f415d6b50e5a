/* The call, for whoever shows one: the element, the talk page, the console. */

export { Call, type CallOptions, type CallView, type Start, type State } from "./call";
export type { Ending } from "./conversation";
export type { PageEvent, Variable, Wishes } from "./messages";
export type { Device } from "./microphone";
export { NEEDS_KEY } from "./sentences";
export { type Line, Transcript } from "./transcript";
