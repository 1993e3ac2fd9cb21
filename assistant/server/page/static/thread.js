// The thread: the turns of the open conversation, and its scroll position.
import { $, $$, deeds, emit, make, narrow, state } from "./state.js";

export function mount() {
  $("#scroll").addEventListener("scroll", () => { $("#to-end").hidden = atEnd(400); }, { passive: true });
}

// Tells the panel next to the thread which turn is being read.
export const showTurn = article => emit("turn", { article });

export function replaceTurn(article, html) {
  const holder = make("div");
  holder.innerHTML = html;
  const fresh = holder.firstElementChild;
  article.replaceWith(fresh);
  showTurn(fresh);
  return fresh;
}

// Removes the turns after `parent`; all of them if it is null.
export function removeAfter(parent) {
  const turns = $$("#thread > .turn");
  const place = parent ? turns.findIndex(turn => turn.dataset.turn === parent) + 1 : 0;
  for (const turn of turns.slice(place)) turn.remove();
}

export function showButtons() {
  $("#send").hidden = false;
  $("#stop").hidden = !state.running;
  $("#export").hidden = !state.conversation || !$("#thread").childElementCount;
}
export const suggestion = question =>
  make("button", { class: "suggestion", dir: "auto", "data-do": "suggestion", text: question });
deeds.suggestion = target => emit("ask", { question: target.textContent });

export const atEnd = slack => {
  const scroll = $("#scroll");
  return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < slack;
};
export function toEnd() {
  const scroll = $("#scroll");
  const last = $("#thread").lastElementChild;
  // The answer comes first: if its quotes don't fit below it, scroll to the question, not to the last quote.
  if (last && (narrow() || scroll.scrollHeight - last.offsetTop > scroll.clientHeight)) scroll.scrollTo({ top: last.offsetTop - 12 });
  else scroll.scrollTo({ top: scroll.scrollHeight });
}
deeds["scroll.end"] = () => $("#scroll").scrollTo({ top: $("#scroll").scrollHeight, behavior: "smooth" });

export function quotesOf(article) {
  return [...article.querySelectorAll(".evidence .card")].map(card => ({
    key: card.dataset.key,
    source: [...card.querySelectorAll(".source > *")].map(part => part.textContent).join(", "),
    quote: card.querySelector("blockquote").textContent,
  }));
}
