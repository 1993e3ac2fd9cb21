// Tokens: the signed-in person's own, or everyone's for administrators; a new one is shown once.
import { $, announce, ask, attempt, deeds, icon, make, state, t, toast } from "./state.js";
import { get, post, remove } from "./http.js";
import { copied } from "./turns.js";
import { openView } from "./view.js";

const RIGHTS = ["ask", "add", "administer"];

export function mount() {
  $("#open-tokens").hidden = !state.start.tokens;
}

deeds["tokens.open"] = async () => {
  openView("tokens",
    make("p", { class: "aside", text: t("tokens.what") }), form(),
    make("div", { id: "new-token", role: "status" }),
    make("section", { id: "tokens", class: "document-list", "aria-label": t(everyone() ? "tokens.everyone" : "tokens.list") }));
  await list();
};

const everyone = () => state.start.administers;

function form() {
  const field = (label, input, note) => make("label", {}, make("span", { text: t(label) }), input, note ? make("small", { text: note }) : null);
  const rights = RIGHTS.slice(0, RIGHTS.indexOf(state.start.right) + 1);
  const element = make("form", { class: "token-fields", autocomplete: "off" },
    field("tokens.label", make("input", { name: "label", maxlength: 100, dir: "auto" })),
    field("tokens.right", make("select", { name: "right" }, ...rights.map(right => new Option(t("tokens.right." + right), right)))),
    field("tokens.collections", make("input", { name: "collections", dir: "auto", placeholder: (state.start.collections ?? []).join(", ") }), t("tokens.collections.note")),
    field("tokens.until", make("input", { name: "until", type: "date", min: new Date().toISOString().slice(0, 10) })),
    make("button", { class: "primary", text: t("tokens.make") }));
  element.addEventListener("submit", event => { event.preventDefault(); attempt(makeToken)(element); });
  return element;
}

async function makeToken(asked) {
  const { label, right, collections, until } = asked.elements;
  const names = collections.value.split(/[,،、]/).map(name => name.trim()).filter(Boolean);
  const made = await post("/api/tokens", { label: label.value, right: right.value, collections: names.length ? names : null, until: until.value || null });
  asked.reset();
  const secret = make("input", { id: "secret", readonly: true, value: made.secret, dir: "ltr", "aria-label": t("tokens.secret"), "aria-describedby": "secret-note" });
  $("#new-token").replaceChildren(make("div", { class: "new-token" }, make("b", { text: t("tokens.secret") }), secret,
    make("button", { class: "quiet", "data-do": "tokens.copy", text: t("tokens.copy") }), make("p", { id: "secret-note", text: t("tokens.once") })));
  secret.focus();
  secret.select();
  await list();
}

deeds["tokens.copy"] = async () => { await copied($("#secret").value); toast(t("tokens.copied")); };

async function list() {
  const box = $("#tokens");
  const found = await get("/api/tokens?everyone=" + everyone());
  if (!box.isConnected) return;
  const columns = ["tokens.label", ...(everyone() ? ["tokens.person"] : []), "tokens.right", "tokens.until", "tokens.used"];
  const head = make("tr", {}, ...columns.map(key => make("th", { scope: "col", text: t(key) })), make("th", {}, make("span", { class: "hidden-label", text: t("library.do") })));
  box.replaceChildren(found.length ? make("table", {}, make("thead", {}, head), make("tbody", {}, ...found.map(row)))
    : make("p", { class: "empty", text: t("tokens.none") }));
}

const named = token => token.label || t("tokens.unnamed");
const day = (time, before = 0) => new Intl.DateTimeFormat(state.ui, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(Date.parse(time) - before));

function row(token) {
  const label = `${t("tokens.remove")}: ${named(token)}`;
  return make("tr", { "data-token": token.id },
    make("td", { dir: "auto" }, named(token), token.collections
      ? make("small", { dir: "auto", text: `${t("tokens.collections")}: ${token.collections.join(", ")}` }) : ""),
    ...(everyone() ? [make("td", { dir: "auto", text: token.name })] : []),
    make("td", { text: t("tokens.right." + token.right) }),
    make("td", { text: token.ends ? day(token.ends, 1) : t("tokens.always") }), // it ends with its last day
    make("td", { text: token.used ? day(token.used) : t("tokens.never") }),
    make("td", { class: "row-do" }, make("button", { class: "icon", "data-do": "tokens.remove", "data-label": named(token), "aria-label": label, title: t("tokens.remove") }, icon("trash"))));
}

deeds["tokens.remove"] = async target => {
  const line = target.closest("tr");
  if (!await ask({ title: t("tokens.remove.sure", { label: target.dataset.label }), confirm: t("tokens.remove"), danger: true })) return;
  await remove("/api/tokens/" + encodeURIComponent(line.dataset.token));
  await list();
  $("#view h2").focus();
  announce(t("tokens.removed"));
};
