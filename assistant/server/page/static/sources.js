// Checking: a marker's quote on hover and focus, the source next to the answer.
import { $, $$, attempt, deeds, make, narrow, on, t } from "./state.js";
import { get } from "./http.js";
import { judge } from "./feedback.js";

let shown = null; // the turn whose source is next to the chat
let back = null; // the focused element before the reader opened
let wanted = 0; // requested sources: only the last one is shown, in whatever order they arrive

export function mount(root) {
  const chat = $("#chat");
  chat.addEventListener("pointerover", event => hint(event.target));
  chat.addEventListener("pointerout", event => { if (event.target.closest(".mark")) hideHint(); });
  chat.addEventListener("focusin", event => { hint(event.target); beside(event.target); });
  chat.addEventListener("focusout", hideHint);
  chat.addEventListener("click", event => beside(event.target));
  document.addEventListener("selectionchange", selected);
  on("turn", ({ article }) => attempt(showSource)(article));
  root.addEventListener("toggle", event => {
    if (event.target.matches?.("details.found") && event.target.open) attempt(found)(event.target);
    if (event.target.matches?.("details.picture")) attempt(picture)(event.target);
  }, true);
}

// The source is next to the answer, open at the first quote; on a phone it opens on a tap.
async function showSource(article) {
  shown = article;
  for (const turn of $$(".turn.beside")) turn.classList.remove("beside");
  article?.classList.add("beside");
  const reader = $("#panel-reader");
  if (!reader.hidden && reader.dataset.turn !== article?.dataset.turn) closeReader();
  const key = article?.querySelector(".evidence .card")?.dataset.key;
  if (!narrow() && key && reader.hidden && article.dataset.state === "finished") await openSource(article.dataset.turn, key, false);
}

function beside(target) {
  const article = target.closest?.(".turn");
  if (article && article !== shown && article.querySelector(".evidence")?.childElementCount) attempt(showSource)(article);
}

const cardFor = (article, key) => article?.querySelector(`.evidence .card[data-key="${CSS.escape(key)}"]`);

function hint(target) {
  const mark = target.closest?.(".mark");
  if (!mark) return;
  const card = cardFor(mark.closest(".turn"), mark.dataset.key);
  if (!card) return;
  const box = $("#hover");
  const claim = mark.closest(".claim");
  const verdict = claim ? make("p", { class: "verdict", "data-support": claim.dataset.support, text: t("support." + claim.dataset.support) }) : null;
  const parts = ["blockquote", ".translation", ".source"].map(part => card.querySelector(part)).filter(Boolean);
  box.replaceChildren(...parts.map(part => part.cloneNode(true)));
  if (verdict) box.append(verdict);
  box.hidden = false;
  mark.setAttribute("aria-describedby", "hover");
  const at = mark.getBoundingClientRect();
  const size = box.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left - 24, innerWidth - size.width - 8));
  const above = at.top - size.height - 8;
  box.style.left = left + "px";
  box.style.top = (above > 8 ? above : Math.min(at.bottom + 8, innerHeight - size.height - 8)) + "px";
  light(mark.closest(".turn"), [mark.dataset.key]);
}

export function hideHint() {
  $("#hover").hidden = true;
  light(null, []);
}

function light(article, keys) {
  for (const card of $$(".card.lit")) card.classList.remove("lit");
  if (!article) return;
  for (const key of keys) cardFor(article, key)?.classList.add("lit");
}

// Selecting words of an answer highlights their quotes.
function selected() {
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed || !selection.rangeCount) return;
  const range = selection.getRangeAt(0);
  const start = range.startContainer.parentElement?.closest(".turn");
  if (!start || !start.contains(range.endContainer)) return;
  const claims = [...start.querySelectorAll(".claim")].filter(claim => range.intersectsNode(claim));
  const keys = [...new Set(claims.flatMap(claim => claim.dataset.keys.split(" ").filter(Boolean)))];
  if (!keys.length) return;
  light(start, keys);
}

deeds["source.open"] = async target => {
  const inThread = target.closest(".turn");
  const article = inThread ?? shown;
  if (!article?.dataset.turn) return;
  back = target;
  hideHint();
  shown = article;
  await openSource(article.dataset.turn, target.dataset.key);
};

async function openSource(turn, key, takesFocus = true) {
  const mine = ++wanted;
  const { html } = await get(`turns/${turn}/source/${key}`);
  if (mine === wanted && (takesFocus || shown?.dataset.turn === turn)) showReader(html, turn, takesFocus);
}

export async function openDocument(id, key = 0) {
  const mine = ++wanted;
  const { html } = await get(`documents/${encodeURIComponent(id)}/reader?key=${key}`);
  if (mine === wanted) showReader(html, "");
}

function showReader(html, turn, takesFocus = true) {
  const reader = $("#panel-reader");
  reader.innerHTML = html;
  reader.dataset.turn = turn;
  reader.hidden = false;
  $("#panel-empty").hidden = true;
  if (takesFocus) $("#panel").classList.add("reading");
  const key = reader.querySelector(".reader").dataset.key;
  const marks = [...reader.querySelectorAll("mark")];
  for (const mark of marks) mark.classList.toggle("current", (mark.dataset.keys ?? "").split(" ").includes(key) || mark.classList.contains("current"));
  const current = reader.querySelector("mark.current");
  const text = reader.querySelector(".reader-text");
  if (current) text.scrollTop = current.getBoundingClientRect().top - text.getBoundingClientRect().top - text.clientHeight / 3;
  if (takesFocus) text.focus({ preventScroll: true });
  const page = reader.querySelector("details.picture");
  if (page && wantsPicture) page.open = true;
}

export function closeReader() {
  wanted += 1;
  const reader = $("#panel-reader");
  if (reader.hidden) return false;
  reader.hidden = true;
  reader.replaceChildren();
  $("#panel-empty").hidden = false;
  $("#panel").classList.remove("reading");
  if (back?.isConnected) back.focus();
  back = null;
  return true;
}
deeds["reader.close"] = closeReader;
deeds["document.open"] = async target => { back = target; await openDocument(target.dataset.id); };
deeds["reader.step"] = target => {
  const reader = $("#panel-reader");
  const { turn } = reader.dataset;
  return turn ? openSource(turn, target.dataset.key) : openDocument(reader.querySelector(".reader").dataset.document, target.dataset.key);
};

async function more(button, above) {
  const reader = $("#panel-reader");
  const text = reader.querySelector(".reader-text");
  const query = new URLSearchParams({ at: button.dataset.at, above });
  if (reader.dataset.turn) query.set("turn", reader.dataset.turn);
  const { html } = await get(`documents/${encodeURIComponent(reader.querySelector(".reader").dataset.document)}/more?${query}`);
  const holder = make("div");
  holder.innerHTML = html;
  // Only the outer button is still valid: the inner edge is joined now.
  holder.querySelector(`[data-do="reader.${above ? "below" : "above"}"]`)?.remove();
  const before = text.scrollHeight;
  button.replaceWith(...holder.childNodes);
  if (above) text.scrollTop += text.scrollHeight - before;
}
deeds["reader.above"] = button => more(button, true);
deeds["reader.below"] = button => more(button, false);

export function step(direction) {
  const reader = $("#panel-reader");
  if (reader.hidden) return false;
  const [previous, next] = reader.querySelectorAll(".reader-step button");
  const button = direction < 0 ? previous : next;
  if (button && !button.disabled) button.click();
  return true;
}

// The picture of the page: drawn on request, and then for the next quotes too until it is closed.
let wantsPicture = false;
async function picture(details) {
  wantsPicture = details.open;
  const box = details.querySelector("div");
  if (!details.open || box.childElementCount) return;
  box.replaceChildren(make("p", { class: "busy" }, make("span", { class: "dots", "aria-hidden": "true" }), t("ask.searching")));
  try {
    const { html } = await get(`turns/${$("#panel-reader").dataset.turn}/page/${details.closest(".reader").dataset.key}`);
    box.innerHTML = html;
    box.querySelector("i")?.scrollIntoView({ block: "center" });
  } catch (error) {
    box.replaceChildren(make("p", { class: "notice", text: error.message }));
  }
}

async function found(details) {
  const body = details.querySelector(".found-body");
  if (body.childElementCount) return;
  const { html } = await get(`turns/${details.closest(".turn").dataset.turn}/found`);
  body.innerHTML = html;
}

deeds["feedback.citation"] = async target => {
  const article = target.closest(".turn") ?? shown;
  const pressed = target.getAttribute("aria-pressed") === "true";
  await judge(article, pressed ? "none" : "bad", Number(target.dataset.key));
  target.setAttribute("aria-pressed", String(!pressed));
};
