/* What stands on buttons and beside them; each can be replaced. */

export const WORDS = {
  launcher: "Talk to us",
  title: "Talk to us",
  intro: "What you and the agent say appears here.",
  start: "Start talking",
  again: "Start again",
  type: "Type instead",
  chat: "Start chatting",
  mute: "Mute",
  unmute: "Unmute",
  hold: "Hold",
  unhold: "Go on",
  end: "Hang up",
  close: "Close",
  microphone: "Microphone",
  message: "Message to the agent",
  placeholder: "Type a message",
  send: "Send",
  you: "You",
  agent: "Agent",
  transcript: "Transcript",
  interrupted: "(interrupted)",
  ready: "Ready when you are",
  connecting: "Connecting…",
  listening: "Listening",
  muted: "You are muted",
  held: "On hold",
  typing: "Your turn to type",
  hearing: "Hearing you",
  thinking: "Thinking…",
  speaking: "The agent is speaking",
  ended: "The call has ended",
  latency: "Answered in {seconds} s",
} as const;

export type Words = Record<keyof typeof WORDS, string>;
export type Mode = "voice" | "text" | "both";
