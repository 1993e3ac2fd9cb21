// The conversations: list, search, open by address, rename, delete, export.
import { $, $$, ask, attempt, deeds, emit, icon, make, narrow, on, remember, remembered, state, t } from "./state.js";
import { get, href, leave, patch, remove } from "./http.js";
import { grow } from "./composer.js";
import { showButtons, showTurn, suggestion, toEnd } from "./thread.js";

let older = null; // the parameter for the next ones
let listing = 0;

export function mount(root) {
  root.classList.toggle("side-closed", narrow() || !remembered("side", true));
  let timer = 0;
  $("#conversation-search").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(attempt(refreshConversations), 150);
  });
  for (const link of $$("[data-export]")) {
    link.addEventListener("click", () => {
      link.href = href(`conversations/${state.conversation}/export?form=${link.dataset.export}`);
      link.closest("details").open = false;
    });
  }
  const leave = $("#sign-out");
  leave.hidden = !state.start.signs_out;
  leave.textContent = t("account.leave", { name: state.start.user ?? "" });
  leave.dir = "auto";
  const password = $("#change-password");
  password.hidden = !state.start.signs_out;
  password.href = href("password");
  window.addEventListener("popstate", attempt(openFromAddress));
  on("reopen", attempt(() => open(state.conversation)));
  on("conversation", ({ id }) => setAddress(id));
  on("conversations", refreshConversations);
  on("title", ({ title }) => setTitle(title));
  refreshConversations();
}

const shell = () => $("#attest") ?? document.getElementById("attest");
deeds["side.toggle"] = () => {
  shell().classList.toggle("side-closed");
  if (!narrow()) remember("side", !shell().classList.contains("side-closed"));
};
deeds["side.close"] = () => shell().classList.add("side-closed");

const refreshConversations = attempt(async () => {
  const mine = ++listing;
  const find = $("#conversation-search").value.trim();
  const { conversations, next } = await get("/api/conversations?" + new URLSearchParams({ find }));
  if (mine !== listing) return;
  const list = $("#conversations");
  list.replaceChildren();
  if (!conversations.length) {
    list.append(make("p", { class: "empty", text: t(find ? "conversation.nothing" : "conversation.none") }));
  }
  append(conversations, next);
});

function append(conversations, next) {
  const list = $("#conversations");
  for (const conversation of conversations) {
    const group = groupOf(conversation.updated);
    if (list.dataset.group !== group || !list.querySelector("h3")) list.append(make("h3", { text: t(group) }));
    list.dataset.group = group;
    list.append(item(conversation));
  }
  older = next;
  if (next) list.append(make("button", { class: "quiet", "data-do": "conversation.more", text: t("conversation.more") }));
}

function groupOf(updated) {
  const days = (Date.now() - Date.parse(updated)) / 86400000;
  return days < 1 ? "conversation.today" : days < 7 ? "conversation.week" : "conversation.older";
}

function item(conversation) {
  const here = conversation.id === state.conversation;
  const link = make("a", { href: "?c=" + encodeURIComponent(conversation.id), "data-do": "conversation.open", "data-id": conversation.id,
    dir: "auto", text: conversation.title, "aria-current": here ? "page" : false });
  const rename = make("button", { class: "icon", "data-do": "conversation.rename", "aria-label": t("conversation.rename"), title: t("conversation.rename") },
    icon("edit"));
  const drop = make("button", { class: "icon", "data-do": "conversation.delete", "aria-label": t("conversation.delete"), title: t("conversation.delete") },
    icon("trash"));
  return make("div", { class: "conversation", "data-id": conversation.id }, link, rename, drop);
}

deeds["conversation.more"] = async button => {
  const find = $("#conversation-search").value.trim();
  const { conversations, next } = await get("/api/conversations?" + new URLSearchParams({ find, before: older }));
  button.remove();
  append(conversations, next);
};

function setTitle(title) {
  $("#title").textContent = title ?? "";
  document.title = title ? `${title} · Attest` : "Attest";
}

function setAddress(id) {
  state.conversation = id;
  const address = new URL(location.href);
  if (id) address.searchParams.set("c", id); else address.searchParams.delete("c");
  if (address.href !== location.href) history.pushState(null, "", address);
  for (const row of $$(".conversation")) {
    const link = row.querySelector("a");
    if (row.dataset.id === id) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
}

export async function openFromAddress() {
  const id = new URL(location.href).searchParams.get("c");
  if (!id) return fresh();
  if (id === state.conversation) return undefined;
  try {
    await open(id);
  } catch (error) {
    setAddress(null);
    fresh();
    throw error;
  }
  return undefined;
}

async function open(id) {
  if (state.running) emit("stop");
  state.waiting.length = 0;
  const conversation = await get(`conversations/${encodeURIComponent(id)}`);
  setAddress(conversation.id);
  state.leaf = conversation.leaf;
  $("#thread").innerHTML = conversation.html;
  $("#earlier").hidden = !conversation.earlier;
  $("#welcome").hidden = true;
  $("#suggestions").replaceChildren();
  setTitle(conversation.title);
  showButtons();
  showTurn($("#thread").lastElementChild);
  toEnd();
}

deeds["conversation.earlier"] = async () => {
  const first = $("#thread").firstElementChild;
  const { html, earlier } = await get(`conversations/${state.conversation}?` + new URLSearchParams({ before: first.dataset.turn }));
  const scroll = $("#scroll");
  const height = scroll.scrollHeight;
  first.insertAdjacentHTML("beforebegin", html);
  $("#earlier").hidden = !earlier;
  scroll.scrollTop += scroll.scrollHeight - height;
};

function fresh() {
  if (state.running) emit("stop");
  state.waiting.length = 0;
  state.leaf = null;
  setAddress(null);
  setTitle("");
  $("#thread").replaceChildren();
  $("#suggestions").replaceChildren();
  $("#earlier").hidden = true;
  $("#welcome").hidden = false;
  showButtons();
  showTurn(null);
  examples();
}

async function examples() {
  const box = $("#examples");
  if (!state.start.documents) {
    box.replaceChildren(make("p", { class: "empty", text: t("welcome.empty") }));
    return;
  }
  if (box.childElementCount) return;
  const [questions, subjects] = await Promise.all(["examples", "subjects"].map(name => get(name).catch(() => [])));
  box.replaceChildren(...questions.map(suggestion));
  $("#subjects").hidden = !subjects.length;
  $("#subjects div").replaceChildren(...subjects.map(subject));
}

// What a library is about: each subject with its number of documents, and some of them to open.
function subject({ name, documents, is_estimate, examples: shown }) {
  const count = (is_estimate ? "≈ " : "") + documents.toLocaleString(state.ui);
  const links = shown.map(({ id, title, language }) =>
    make("li", {}, make("button", { class: "link", "data-do": "document.open", "data-id": id, dir: "auto", lang: language, text: title })));
  if (documents > shown.length) links.push(make("li", { class: "aside", text: t("library.others", { count: documents - shown.length }) }));
  const heading = make("summary", {}, make("bdi", { text: name }), make("small", { "aria-label": t("library.size", { count }), text: count }));
  return make("details", { class: "subject" }, heading, make("ul", {}, ...links));
}

deeds["account.leave"] = async () => {
  await leave();
  location.assign(document.baseURI);
};
deeds["conversation.new"] = () => {
  deeds["view.close"]?.();
  fresh();
  if (narrow()) deeds["side.close"]();
  $("#question").focus();
  grow();
};
deeds["conversation.open"] = async (target, event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  if (narrow()) deeds["side.close"]();
  deeds["view.close"]?.();
  await open(target.dataset.id);
};
deeds["conversation.rename"] = async target => {
  const row = target.closest(".conversation");
  const title = await ask({ title: t("conversation.name"), value: row.querySelector("a").textContent, confirm: t("save") });
  if (!title?.trim()) return;
  const renamed = await patch(`/api/conversations/${row.dataset.id}`, { title });
  if (row.dataset.id === state.conversation) setTitle(renamed.title);
  await refreshConversations();
};
deeds["conversation.delete"] = async target => {
  const row = target.closest(".conversation");
  const title = row.querySelector("a").textContent;
  if (!await ask({ title: t("conversation.delete.sure", { title }), confirm: t("conversation.delete"), danger: true })) return;
  await remove(`/api/conversations/${row.dataset.id}`);
  if (row.dataset.id === state.conversation) fresh();
  await refreshConversations();
};
