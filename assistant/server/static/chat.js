// Asking: the composer, the running answer, what waits, stopping, and what could be asked next.
import { $, $$, announce, deeds, make, narrow, state, t } from "./state.js";
import { get } from "./http.js";
import { chosenOptions } from "./options.js";
import { refreshConversations, setTitle, setAddress } from "./side.js";
import { showQuotes } from "./sources.js";

let patience = 20000; // milliseconds without any sign of the server
export const setPatience = milliseconds => { patience = milliseconds; };
let watchdog = 0;
let composing = false;
let oversized = 0; // characters of a text that was too long even to be put into the box

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
  window.addEventListener("attest:refused", () => refused(t("problem.many")));
  const scroll = $("#scroll");
  scroll.addEventListener("scroll", () => { $("#to-end").hidden = atEnd(400); }, { passive: true });
}

// Laying out a million characters would freeze the browser: they are told of, and stay in the clipboard.
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

// One sentence over the composer; nothing is sent, nothing is lost.
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
  enqueue({ question: question.trim(), parent: undefined });
}

// The server checks the same; here it saves sending a million characters.
export function wrong(question) {
  const length = [...question].length;
  if (length > state.start.limits.question) return tooLong(length);
  if (!/[^\p{Z}\p{C}]/u.test(question)) return t("problem.blank");
  return "";
}

export function enqueue(asked) {
  if (state.running) {
    state.waiting.push(asked);
    showWaiting();
  } else begin(asked);
}

function begin({ question, parent }) {
  const ticket = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  const follows = parent === undefined ? state.leaf : parent;
  if (parent !== undefined) cutAfter(parent);
  const article = make("article", { class: "turn", "data-ticket": ticket, "data-state": "asked", "data-parent": follows ?? "" },
    make("header", { class: "asked" }, make("h2", { class: "asked-text", dir: "auto", text: question })),
    make("div", { class: "reply", "aria-busy": "true" }, make("div", { class: "answer-text" }),
      make("p", { class: "busy" }, make("span", { class: "dots", "aria-hidden": "true" }), t("ask.searching"))),
    make("section", { class: "evidence", "aria-label": t("evidence.title") }));
  $("#thread").append(article);
  $("#welcome").hidden = true;
  $("#suggestions").replaceChildren();
  state.running = { ticket, article, question, conversation: state.conversation, stopped: false };
  buttons();
  toEnd();
  announce(t("ask.searching"));
  alive();
  state.trigger("submit", { ticket, question, conversation: state.conversation, parent: follows, ui: state.ui, options: chosenOptions() });
}

// Every value is the whole state of one turn, so skipped ones don't matter.
export function receive(value) {
  const running = state.running;
  if (!value?.ticket || !running || value.ticket !== running.ticket) return;
  alive();
  const { article } = running;
  if (value.conversation && running.conversation === null) {
    running.conversation = value.conversation;
    if (state.conversation === null) setAddress(value.conversation);
    refreshConversations();
  }
  if (value.turn) { article.dataset.turn = value.turn; state.leaf = value.turn; }
  if (value.kept) running.kept = value.kept; // the answer is whole but for translations of its quotes
  if (value.stage === "refused" || value.stage === "failed") return failed(value.message, value.stage);
  const follow = atEnd(160);
  if (value.stage === "done") {
    replace(article, value.article);
    setTitle(value.title);
    announce(value.announce);
    over();
    suggest(value.turn);
  } else {
    const reply = article.querySelector(".reply");
    if (running.body !== value.body) { running.body = value.body; reply.innerHTML = value.body; }
    const evidence = article.querySelector(".evidence");
    if (running.evidence !== value.evidence) {
      running.evidence = value.evidence;
      evidence.innerHTML = value.evidence;
      showQuotes(article);
    }
  }
  if (follow) toEnd();
}

function replace(article, html) {
  const holder = make("div");
  holder.innerHTML = html;
  const fresh = holder.firstElementChild;
  article.replaceWith(fresh);
  if (state.running) state.running.article = fresh;
  showQuotes(fresh);
  return fresh;
}

function failed(sentence, stage) {
  const { article, question, kept } = state.running;
  if (kept) {
    replace(article, kept);
    problem(sentence);
  } else if (stage === "refused") {
    article.remove();
    giveBack(question);
    problem(sentence);
    $("#welcome").hidden = $("#thread").childElementCount > 0;
  } else {
    article.dataset.state = "failed";
    const again = make("button", { class: "quiet", "data-do": "turn.again", text: t("ask.again") });
    article.querySelector(".reply").replaceChildren(
      make("p", { class: "problem", role: "alert", text: sentence }), make("div", { class: "actions" }, again));
  }
  over();
}

function refused(sentence) {
  if (state.running) failed(sentence, "refused");
}

function giveBack(question) {
  const box = $("#question");
  if (!box.value) { box.value = question; grow(); }
}

function alive() {
  clearTimeout(watchdog);
  watchdog = setTimeout(() => reachable(), patience);
}

// Silence may be a long queue or a dead server: ask the server which it is.
async function reachable() {
  if (!state.running) return;
  try { await get("start"); alive(); } catch (error) { refused(error.message); }
}

function over() {
  clearTimeout(watchdog);
  state.running = null;
  buttons();
  refreshConversations();
  const next = state.waiting.shift();
  showWaiting();
  if (next) begin(next);
}

function buttons() {
  $("#send").hidden = false;
  $("#stop").hidden = !state.running;
  $("#export").hidden = !state.conversation || !$("#thread").childElementCount;
}
export { buttons };

function showWaiting() {
  const line = $("#waiting");
  const [next] = state.waiting;
  line.hidden = !next;
  if (!next) return line.replaceChildren();
  line.replaceChildren(make("span", { dir: "auto", text: t("ask.waiting", { question: next.question }) }),
    make("button", { class: "quiet", type: "button", "data-do": "waiting.drop", text: t("ask.drop") }));
  return undefined;
}
deeds["waiting.drop"] = () => { const dropped = state.waiting.shift(); showWaiting(); if (dropped) giveBack(dropped.question); };

export function stop() {
  const { running } = state;
  if (!running) return;
  state.trigger("stop", {});
  const { article, kept } = running;
  if (kept) replace(article, kept);
  else {
    article.dataset.state = "stopped";
    article.querySelector(".busy")?.remove();
    article.querySelector(".reply").append(make("p", { class: "aside", text: t("ask.stopped") }),
      make("div", { class: "actions" }, make("button", { class: "quiet", "data-do": "turn.again", text: t("ask.again") })));
  }
  announce(t(kept ? "ask.translating.stopped" : "ask.stopped"));
  over();
}
deeds.stop = stop;

function cutAfter(parent) {
  const turns = $$("#thread > .turn");
  const place = parent ? turns.findIndex(turn => turn.dataset.turn === parent) + 1 : 0;
  for (const turn of turns.slice(place)) turn.remove();
}

async function suggest(turn) {
  const follow = await get(`turns/${turn}/suggestions`).catch(() => []);
  if (state.leaf !== turn || state.running || !follow.length) return;
  const near = atEnd(160);
  $("#suggestions").replaceChildren(make("h3", { text: t("ask.follow") }), ...follow.map(suggestion));
  if (near) toEnd();
}

export const suggestion = question =>
  make("button", { class: "suggestion", dir: "auto", "data-do": "suggestion", text: question });
deeds.suggestion = target => enqueue({ question: target.textContent, parent: undefined });

const atEnd = slack => {
  const scroll = $("#scroll");
  return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < slack;
};
export function toEnd() {
  const scroll = $("#scroll");
  const last = $("#thread").lastElementChild;
  // On a phone the quotes follow the answer: bring the question up, not the last quote.
  if (narrow() && last) scroll.scrollTo({ top: last.offsetTop - 12 });
  else scroll.scrollTo({ top: scroll.scrollHeight });
}
deeds["scroll.end"] = () => $("#scroll").scrollTo({ top: $("#scroll").scrollHeight, behavior: "smooth" });

export function grow() {
  const box = $("#question");
  box.style.height = "auto";
  box.style.height = Math.min(box.scrollHeight, innerHeight * 0.4) + "px";
}
