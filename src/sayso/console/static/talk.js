/* The talk page: shows one call at a time, and what was said in it. */

import { Call } from "./call.js";

const HEARING_FADES_MS = 2500; // the server does not tell when a noise came to nothing
const AUDIBLE = 0.35;

const STATUS = {
  connecting: () => "Connecting…",
  listening: () => (call.hasMicrophone ? (isMuted ? "You are muted" : "Listening") : "Your turn to type"),
  hearing: () => "Hearing you",
  thinking: () => "Thinking…",
  speaking: () => "The agent is speaking",
};

const find = (selector) => document.querySelector(selector);
const main = find("main");
const [start, type, mute, hangUp] = ["#start", "#type", "#mute", "#hang-up"].map(find);
const [status, notice, orb, lines] = [".status", ".notice", ".orb", "ol"].map(find);
const [composer, text, send] = [".composer", "#text", "#send"].map(find);

const agentId = location.pathname.split("/").at(-1);
const socketUrl = new URL(`../v1/agents/${agentId}/start-conversation`, location);
socketUrl.protocol = socketUrl.protocol.replace("http", "ws");

let call = null;
let isMuted = false;
let agentLine = null; // of the reply under way
let audibleAt = 0;

// The call -----------------------------------------------------------------------------------

async function begin(withMicrophone) {
  setMuted(false);
  lines.replaceChildren();
  notice.textContent = "";
  agentLine = null;
  const own = new Call(socketUrl, view);
  call = own;
  arrange(true);
  try {
    await own.start({ withMicrophone });
  } catch (error) {
    own.ended(`The call could not start: ${error.message}`);
  }
  if (call === own && !own.hasMicrophone) text.focus();
}

/** Shows the controls of a call, or those that start one, and keeps the keyboard on them. */
function arrange(isCalling) {
  const hadFocus = !document.activeElement || document.activeElement === document.body
    || main.contains(document.activeElement);
  start.hidden = type.hidden = isCalling;
  hangUp.hidden = composer.hidden = !isCalling;
  if (!isCalling) mute.hidden = true;
  send.disabled = true;
  if (hadFocus) (isCalling ? hangUp : start).focus();
}

function setMuted(muted) {
  isMuted = muted;
  call?.mute(muted);
  mute.textContent = muted ? "Unmute" : "Mute";
  main.toggleAttribute("data-muted", muted);
  if (main.dataset.state === "listening") view.state("listening");
}

const view = {
  state(name) {
    main.dataset.state = name;
    status.textContent = STATUS[name]();
    mute.hidden = !call.hasMicrophone;
    if (name === "thinking") notice.textContent = ""; // it was about the turn before
    if (name === "hearing") audibleAt = performance.now();
    if (name === "listening") send.disabled = false;
  },

  caller(said) {
    addLine("caller", said);
  },

  agent(said) {
    agentLine = addLine("agent", said);
  },

  replyBegan() {
    agentLine = null;
  },

  interrupted(heard) {
    agentLine ??= heard ? addLine("agent", heard) : null;
    if (!agentLine) return;
    agentLine.querySelector("p").textContent = heard;
    agentLine.classList.add("interrupted");
    if (!heard) agentLine.remove();
    agentLine = null;
  },

  notice(sentence) {
    notice.textContent = sentence;
  },

  ended(sentence) {
    call = null;
    main.dataset.state = "ended";
    status.textContent = "The call has ended";
    if (sentence) notice.textContent = sentence;
    start.textContent = "Start again";
    arrange(false);
  },
};

// What was said ------------------------------------------------------------------------------

function addLine(who, said) {
  const isAtEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 80;
  const line = document.createElement("li");
  line.className = who;
  const name = document.createElement("span");
  name.textContent = who === "agent" ? "Agent" : "You";
  const words = document.createElement("p");
  words.textContent = said;
  line.append(name, words);
  lines.append(line);
  if (isAtEnd) scrollToEnd();
  return line;
}

function scrollToEnd() {
  lines.scrollTop = lines.scrollHeight;
}

// Levels -------------------------------------------------------------------------------------

function drawLevels(now) {
  const { caller, agent } = call?.levels ?? { caller: 0, agent: 0 };
  const level = main.dataset.state === "speaking" ? agent : caller;
  orb.style.setProperty("--level", level.toFixed(3));
  if (caller > AUDIBLE) audibleAt = now;
  if (main.dataset.state === "hearing" && now - audibleAt > HEARING_FADES_MS) view.state("listening");
  requestAnimationFrame(drawLevels);
}

// The page -----------------------------------------------------------------------------------

find(".agent-id").textContent = agentId;
start.onclick = () => begin(true);
type.onclick = () => begin(false);
mute.onclick = () => setMuted(!isMuted);
hangUp.onclick = () => call?.hangUp();
composer.onsubmit = (event) => {
  event.preventDefault();
  const said = text.value.trim();
  if (!said || send.disabled) return;
  call.say(said);
  text.value = "";
};
new ResizeObserver(scrollToEnd).observe(lines); // a phone's keyboard takes half of the page
addEventListener("pagehide", () => call?.hangUp());
requestAnimationFrame(drawLevels);
