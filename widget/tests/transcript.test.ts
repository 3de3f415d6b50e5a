import { describe, expect, it } from "vitest";
import { Transcript } from "../src/call/transcript";

const said = ({ lines }: Transcript) => lines.map(({ who, text }) => `${who}: ${text}`);

describe("a transcript", () => {
  it("keeps what both sides said, in order, with ids that stay", () => {
    const transcript = new Transcript();
    transcript.agentSaid("Hello!");
    const [first] = transcript.lines;
    transcript.callerSaid("Hi.");
    expect(said(transcript)).toEqual(["agent: Hello!", "caller: Hi."]);
    expect(transcript.lines[0]).toBe(first);
  });

  it("gives a new list for each change, and the same one for none", () => {
    const transcript = new Transcript();
    const before = transcript.lines;
    transcript.agentSaid("Hello!");
    expect(transcript.lines).not.toBe(before);
  });

  it("shows words so far in one line, which the final ones take", () => {
    const transcript = new Transcript();
    transcript.callerSaysSoFar("So I");
    transcript.callerSaysSoFar("So I went");
    expect(transcript.lines).toMatchObject([{ text: "So I went", isInterim: true }]);
    const { id } = transcript.lines[0]!;
    transcript.callerSaid("So I went home.");
    expect(transcript.lines).toEqual([{ id, who: "caller", text: "So I went home." }]);
  });

  it("takes words back that came to nothing", () => {
    const transcript = new Transcript();
    transcript.agentSaid("Hello!");
    transcript.callerSaysSoFar("Hm");
    transcript.callerSaysSoFar("");
    expect(said(transcript)).toEqual(["agent: Hello!"]);
  });

  it("keeps of an interrupted line what was heard", () => {
    const transcript = new Transcript();
    transcript.agentSaid("A very long answer.");
    transcript.callerSaysSoFar("Stop");
    transcript.agentInterrupted("A very");
    expect(transcript.lines).toMatchObject([{ text: "A very", isInterrupted: true }, { text: "Stop" }]);
  });

  it("drops a line of which nothing was heard", () => {
    const transcript = new Transcript();
    transcript.agentSaid("Nobody hears this.");
    transcript.agentInterrupted("");
    expect(transcript.lines).toEqual([]);
  });

  it("shows what was heard even if the text never came", () => {
    const transcript = new Transcript();
    transcript.replyBegan();
    transcript.agentInterrupted("And");
    expect(transcript.lines).toMatchObject([{ who: "agent", text: "And", isInterrupted: true }]);
  });

  it("does not touch the line of a reply that is over", () => {
    const transcript = new Transcript();
    transcript.agentSaid("One.");
    transcript.replyBegan();
    transcript.agentInterrupted("");
    expect(said(transcript)).toEqual(["agent: One."]);
  });
});

describe("what is typed", () => {
  const seen = ({ lines }: Transcript) => lines.map(({ text, isWaiting }) => (isWaiting ? `${text} …` : text));

  it("is seen at once, and stands once the agent takes it", () => {
    const transcript = new Transcript();
    transcript.callerTyped("Is it open?");
    expect(seen(transcript)).toEqual(["Is it open? …"]);
    const { id } = transcript.lines[0]!;
    transcript.callerSaid("Is it open?");
    expect(transcript.lines).toEqual([{ id, who: "caller", text: "Is it open?" }]);
  });

  it("waits below what is said meanwhile", () => {
    const transcript = new Transcript();
    transcript.callerTyped("Is it open?");
    transcript.callerTyped("And  tomorrow?");
    transcript.agentSaid("Hello!");
    expect(seen(transcript)).toEqual(["Hello!", "Is it open? …", "And  tomorrow? …"]);
    transcript.callerSaid("Is it open?");
    transcript.agentSaid("Yes.");
    expect(seen(transcript)).toEqual(["Hello!", "Is it open?", "Yes.", "And  tomorrow? …"]);
    transcript.callerSaid("And tomorrow?");
    expect(seen(transcript)).toEqual(["Hello!", "Is it open?", "Yes.", "And tomorrow?"]);
  });

  it("is one line, if it was taken together", () => {
    const transcript = new Transcript();
    transcript.callerTyped("Is it open?");
    transcript.callerTyped("Today?");
    transcript.callerSaid("Is it open? Today?");
    expect(seen(transcript)).toEqual(["Is it open? Today?"]);
  });

  it("does not keep others from being said", () => {
    const transcript = new Transcript();
    transcript.callerTyped("Is it open?");
    transcript.callerSaysSoFar("Hello");
    transcript.callerSaid("Hello.");
    expect(seen(transcript)).toEqual(["Hello.", "Is it open? …"]);
  });
});
