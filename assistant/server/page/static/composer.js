// The composer: the box for a question, and its errors.
import { $, emit, state, t } from "./state.js";

let composing = false;
let oversized = 0; // characters of a text that was too long for the box

export function mount() {
  const box = $("#question");
  const form = $("#composer");
  form.addEventListener("submit", event => { event.preventDefault(); send(); });
  // Input methods end a composition with Enter; Safari reports that Enter after compositionend, with keyCode 229.
  box.addEventListener("compositionstart", () => { composing = true; });
  box.addEventListener("compositionend", () => { composing = false; });
  box.addEventListener("keydown", event => {
    if (event.key !== "Enter" || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return;
    if (composing || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    send();
  });
  box.addEventListener("input", () => { oversized = 0; grow(); problem(""); });
  box.addEventListener("paste", event => tooMuch(event, event.clipboardData?.getData("text")));
  box.addEventListener("beforeinput", event => tooMuch(event, event.data));
}

// Laying out a million characters would freeze the browser, so they are reported and stay in the clipboard.
function tooMuch(event, text) {
  if (!text || text.length <= 2 * state.start.limits.question) return;
  event.preventDefault();
  oversized = [...text].length;
  problem(tooLong(oversized));
}

function tooLong(length) {
  const number = new Intl.NumberFormat(state.ui);
  return t("problem.long", { length: number.format(length), limit: number.format(state.start.limits.question) });
}

// One sentence above the composer; nothing is sent, nothing is lost.
export function problem(sentence) {
  const line = $("#problem");
  line.hidden = !sentence;
  line.textContent = sentence;
}

function send() {
  const question = $("#question").value;
  const sentence = oversized ? tooLong(oversized) : wrong(question);
  problem(sentence);
  if (sentence) return;
  $("#question").value = "";
  grow();
  emit("ask", { question: question.trim() });
}

// The server checks the same; checking here avoids sending a million characters.
export function wrong(question) {
  const length = [...question].length;
  if (length > state.start.limits.question) return tooLong(length);
  if (!/[^\p{Z}\p{C}]/u.test(question)) return t("problem.blank");
  return "";
}

export function giveBack(question) {
  const box = $("#question");
  if (!box.value) { box.value = question; grow(); }
}

export function grow() {
  const box = $("#question");
  box.style.height = "auto";
  box.style.height = Math.min(box.scrollHeight, innerHeight * 0.4) + "px";
}
