// Ask: the running answer, waiting questions, stopping, and suggested questions.
import { $, announce, deeds, emit, make, on, state, t } from "./state.js";
import { get, values } from "./http.js";
import { giveBack, problem } from "./composer.js";
import { chosenOptions } from "./options.js";
import { atEnd, removeAfter, replaceTurn, showButtons, showTurn, suggestion, toEnd } from "./thread.js";

let patience = 20000; // milliseconds without any sign of the server
export const setPatience = milliseconds => { patience = milliseconds; };
let watchdog = 0;
const RETRIES = 3;

export function mount() {
  on("ask", enqueue);
  on("stop", stop);
}

function enqueue(asked) {
  if (state.running) {
    state.waiting.push(asked);
    showWaiting();
  } else begin(asked);
}

function begin({ question, parent, verbatim }) {
  const ticket = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  const follows = parent === undefined ? state.leaf : parent;
  if (parent !== undefined) removeAfter(parent);
  const article = make("article", { class: "turn", "data-ticket": ticket, "data-state": "asked", "data-parent": follows ?? "" },
    make("header", { class: "asked" }, make("h2", { class: "asked-text", dir: "auto", text: question })),
    make("div", { class: "reply", "aria-busy": "true" }, make("div", { class: "answer-text" }),
      make("p", { class: "busy" }, make("span", { class: "dots", "aria-hidden": "true" }), t("ask.searching"))),
    make("section", { class: "evidence", "aria-label": t("evidence.title") }));
  $("#thread").append(article);
  $("#welcome").hidden = true;
  $("#suggestions").replaceChildren();
  state.running = { ticket, article, question, conversation: state.conversation, stopped: false };
  showButtons();
  toEnd();
  announce(t("ask.searching"));
  alive();
  send(state.running, { ticket, question, conversation: state.conversation, parent: follows, verbatim: verbatim === true, ui: state.ui, options: chosenOptions() });
}

// Asks, and shows the reply. If the server is ending, or a proxy finds it gone, nothing has begun, so another one is asked.
export async function send(running, asked) {
  running.leaving = new AbortController();
  const isOurs = () => state.running === running;
  let began = false;
  for (let attempt = 0; isOurs() && !began; attempt++) {
    try {
      for await (const value of values("ask", asked, running.leaving.signal)) {
        began = true;
        if (isOurs()) alive();
        receive(value);
      }
      if (isOurs()) broken(t("problem.connection"));
    } catch (error) {
      if (!isOurs()) return;
      if (began) broken(t("problem.connection"));
      else if (!error.busy || attempt === RETRIES) refused(error.message);
      else await new Promise(resolve => setTimeout(resolve, 500 * (attempt + 1)));
    }
  }
}

// Each state of a turn contains only what has changed since the previous one.
export function receive(change) {
  const running = state.running;
  if (!change?.ticket || !running || change.ticket !== running.ticket) return;
  const value = running.value = { ...running.value, ...change };
  const { article } = running;
  if (value.conversation && running.conversation === null) {
    running.conversation = value.conversation;
    if (state.conversation === null) emit("conversation", { id: value.conversation });
    emit("conversations");
  }
  if (value.turn) { article.dataset.turn = value.turn; state.leaf = value.turn; }
  if (value.kept) running.kept = value.kept; // the answer is complete except for translations of its quotes
  if (value.stage === "refused" || value.stage === "failed") return failed(value.message, value.stage);
  const follow = atEnd(160);
  if (value.stage === "done") {
    replaceTurn(article, value.article);
    emit("title", { title: value.title });
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
      showTurn(article);
    }
  }
  if (follow) toEnd();
}

function failed(sentence, stage) {
  const { article, question, kept } = state.running;
  if (kept) {
    replaceTurn(article, kept);
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

// The connection broke: the server that had begun to answer has saved the question.
function broken(sentence) {
  failed(sentence, state.running.article.dataset.turn ? "failed" : "refused");
}

function alive() {
  clearTimeout(watchdog);
  watchdog = setTimeout(() => reachable(), patience);
}

// Silence may mean a long queue or a dead server, so ask the server.
async function reachable() {
  if (!state.running) return;
  const { running } = state;
  try { await get("start"); alive(); } catch (error) {
    if (state.running === running) { running.leaving?.abort(); refused(error.message); }
  }
}

function over() {
  clearTimeout(watchdog);
  state.running = null;
  showButtons();
  emit("conversations");
  const next = state.waiting.shift();
  showWaiting();
  if (next) begin(next);
}

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

function stop() {
  const { running } = state;
  if (!running) return;
  running.leaving.abort();
  const { article, kept } = running;
  if (kept) replaceTurn(article, kept);
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

async function suggest(turn) {
  const follow = await get(`turns/${turn}/suggestions`).catch(() => []);
  if (state.leaf !== turn || state.running || !follow.length) return;
  const near = atEnd(160);
  $("#suggestions").replaceChildren(make("h3", { text: t("ask.follow") }), ...follow.map(suggestion));
  if (near) toEnd();
}
