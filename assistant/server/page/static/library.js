// The library: its documents, uploads, changes that can be undone, and a map of its subjects.
import { $, ask, attempt, deeds, icon, make, state, t, toast } from "./state.js";
import { get, href, patch, post, remove } from "./http.js";
import { openDocument } from "./sources.js";
import { openView } from "./view.js";

let following = null;
let polling = 0;
let sending = 0;
const arriving = new Map(); // uploads in progress, by our own names

const number = value => new Intl.NumberFormat(state.ui).format(value);
const language = tag => state.start.languages.find(each => each.tag === tag)?.name ?? tag;
const fileName = uri => uri.replaceAll("\\", "/").split("/").pop();

export function mount() {
  showSize();
  window.addEventListener("dragover", event => { if (state.start.uploads && event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
  window.addEventListener("drop", event => {
    if (!state.start.uploads || !event.dataTransfer?.files.length) return;
    event.preventDefault();
    if ($("#view").hidden) deeds["library.open"]();
    attempt(addFiles)([...event.dataTransfer.files]);
  });
}

function showSize() {
  $("#library-size").textContent = t("library.size", { count: number(state.start.documents) });
}

deeds["library.open"] = async () => {
  const view = openView("library", state.start.uploads ? dropzone() : "", make("ul", { id: "intake", class: "intake", tabindex: "0", "aria-label": t("library.intake") }), tools(),
    make("div", { id: "document-list", class: "document-list" }), make("details", { id: "map", class: "map" }, make("summary", { text: t("library.map") }), make("div")));
  view.querySelector("#map").addEventListener("toggle", attempt(showMap));
  view.querySelector("#document-list-find").addEventListener("input", debounced(list));
  await Promise.all([list(), state.start.edits ? poll() : null]);
};

function dropzone() {
  const { upload_suffixes: suffixes, upload_bytes: bytes } = state.start.limits;
  const picker = make("input", { type: "file", id: "picker", multiple: true, class: "hidden-label", accept: suffixes.join(","), tabindex: "-1", "aria-hidden": "true" });
  picker.addEventListener("change", () => { attempt(addFiles)([...picker.files]); picker.value = ""; });
  const button = make("button", { class: "drop", id: "drop" }, icon("upload"), make("b", { text: t("library.add") }),
    make("small", { text: t("library.add.kinds", { kinds: suffixes.join(" "), size: number(Math.floor(bytes / 1048576)) }) }));
  button.addEventListener("click", () => picker.click());
  return make("div", { class: "dropzone" }, button, picker, state.start.web_uploads ? fromWeb() : null);
}

function fromWeb() {
  const box = make("input", { id: "web-address", type: "url", inputmode: "url", placeholder: "https://", dir: "ltr", autocomplete: "off", "aria-label": t("library.web") });
  const form = make("form", { class: "web", novalidate: true }, make("label", { for: "web-address", text: t("library.web") }), box,
    make("button", { class: "quiet", text: t("library.web.add") }));
  form.addEventListener("submit", event => { event.preventDefault(); attempt(addAddress)(box); });
  return form;
}

function tools() {
  return make("div", { class: "tools" },
    make("input", { type: "search", id: "document-list-find", placeholder: t("filters.find"), "aria-label": t("filters.find") }),
    ...(state.start.administers ? [make("button", { class: "quiet", "data-do": "library.embed", text: t("library.embed") }),
      make("a", { class: "quiet", href: href("/api/feedback"), download: "feedback.yaml", text: t("feedback.export") })] : []));
}

const debounced = deed => {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(attempt(deed), 150); };
};

// A list may be requested while another one is loading, or while the user edits a line; the last request counts.
let asked = 0;
let shown = 0;
const isSettled = line => line.isConnected && shown === asked;

async function list() {
  const mine = ++asked;
  const find = $("#document-list-find").value;
  const { documents, next } = await get("/api/documents?" + new URLSearchParams({ find }));
  if (mine !== asked) return;
  shown = mine;
  following = next;
  const documentList = $("#document-list");
  if (!documentList) return;
  const columns = [["library.title", ""], ["library.date", "fixed"], ["found.language", "fixed"], ["library.passages", "fixed count"]];
  const body = make("tbody", {}, ...documents.map(row));
  documentList.replaceChildren(documents.length
    ? make("table", {}, make("thead", {}, make("tr", {}, ...columns.map(([key, kind]) => make("th", { scope: "col", class: kind, text: t(key) })), make("th", {}, make("span", { class: "hidden-label", text: t("library.do") })))), body)
    : make("p", { class: "empty", text: t(find ? "library.nothing" : "welcome.empty") }));
  if (next) documentList.append(make("button", { class: "quiet", "data-do": "library.more", text: t("library.more") }));
}

deeds["library.more"] = async button => {
  const { documents, next } = await get("/api/documents?" + new URLSearchParams({ find: $("#document-list-find").value, after: following }));
  following = next;
  $("#document-list tbody").append(...documents.map(row));
  if (!next) button.remove();
};

const told = (kind, label, why) => make("details", { class: kind }, make("summary", { text: label }), make("p", { text: why }));

function row(item) {
  const deed = (name, label, sign) => make("button", { class: "icon", "data-do": name, "aria-label": `${t(label)}: ${item.title}`, title: t(label) }, icon(sign));
  const why = item.state === "ready" ? "" : t(`state.${item.state}.why`);
  const element = make("tr", { "data-document": item.id },
    make("td", {}, make("button", { class: "link", "data-do": "library.read", dir: "auto", lang: item.language, text: item.title }), item.speaker ? make("small", { class: "said", dir: "auto", text: item.speaker }) : null,
      make("small", {}, make("bdi", { text: fileName(item.uri) }), why ? null : make("span", { "data-state": item.state, text: " · " + t("state." + item.state) })),
      why ? told("state", t("state." + item.state), why) : null,
      item.warnings.length ? told("signs", t("sign.label"), item.warnings.join(" ")) : null),
    make("td", { class: "fixed", text: item.published ?? "" }), make("td", { class: "fixed", text: language(item.language) }),
    make("td", { class: "fixed count", text: number(item.passage_count) }),
    make("td", { class: "row-do" }, ...(state.start.edits ? [deed("library.edit", "library.edit", "edit"), deed("library.remove", "library.remove", "trash")] : [])));
  element.item = item;
  return element;
}

deeds["library.read"] = target => openDocument(target.closest("tr").dataset.document);

deeds["library.edit"] = async target => {
  const line = target.closest("tr");
  const { item } = line;
  const field = (name, label, note = "") => make("label", {}, make("span", { text: t(label) }),
    make("input", { id: "edit-" + name, value: item[name] ?? "", dir: "auto", maxlength: 500, placeholder: note }));
  const dialog = $("#ask-dialog");
  const save = make("button", { class: "primary", value: "yes", text: t("save") });
  const cancel = make("button", { class: "quiet", type: "button", text: t("cancel") });
  cancel.addEventListener("click", () => dialog.close("no"));
  dialog.setAttribute("aria-label", t("library.edit"));
  dialog.replaceChildren(make("form", { method: "dialog", class: "fields" }, make("h2", { text: t("library.edit") }), field("title", "library.title"),
    field("speaker", "library.speaker"), field("published", "library.date", t("filters.date")), make("div", { class: "dialog-foot" }, cancel, save)));
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise(resolve => dialog.addEventListener("close", resolve, { once: true }));
  if (dialog.returnValue !== "yes") return;
  const value = name => dialog.querySelector("#edit-" + name).value;
  const changed = await patch("/api/documents/" + encodeURIComponent(item.id), { title: value("title"), speaker: value("speaker"), published: value("published") });
  if (isSettled(line)) line.replaceWith(row(changed));
  else await list();
};

deeds["library.remove"] = async target => {
  const line = target.closest("tr");
  const { item } = line;
  const place = line.nextElementSibling;
  const body = line.parentElement;
  await remove("/api/documents/" + encodeURIComponent(item.id));
  if (isSettled(line)) line.remove();
  else await list();
  await refresh();
  toast(t("library.removed", { title: item.title }), { label: t("library.undo"), run: attempt(async () => {
    const back = await post(`/api/documents/${encodeURIComponent(item.id)}/restore`);
    if (isSettled(body)) body.insertBefore(row(back), place?.isConnected ? place : null);
    else if ($("#document-list")) await list();
    await refresh();
  }) });
};

deeds["library.embed"] = async () => {
  if (!await ask({ title: t("library.embed"), note: t("library.embed.sure"), confirm: t("library.embed.do") })) return;
  await post("/api/library/embed");
  await poll();
};

async function refresh() {
  const fresh = await get("start");
  Object.assign(state.start, { documents: fresh.documents, languages: fresh.languages, speakers: fresh.speakers });
  showSize();
}

async function addFiles(files) {
  const { upload_files: most, upload_bytes: bytes } = state.start.limits;
  if (files.length > most) throw new Error(t("library.many", { limit: number(most) }));
  for (const file of files) {
    const key = "sending-" + ++sending;
    arriving.set(key, { id: key, name: file.name, state: "sending", done: 0, known: file.size });
    // Files above the limit aren't sent at all.
    if (file.size > bytes) {
      arriving.set(key, { id: key, name: file.name, state: "failed", error: t("library.large", { size: number(Math.floor(bytes / 1048576)) }) });
    } else await sent(key, file);
    showIntake([]);
  }
  await poll();
}

async function addAddress(box) {
  const address = box.value.trim();
  if (!address) return;
  const key = "sending-" + ++sending;
  arriving.set(key, { id: key, name: address, state: "sending", done: 0, known: 0 });
  showIntake([]);
  box.value = "";
  try {
    await post("/api/fetch", { address });
    arriving.delete(key);
  } catch (error) {
    arriving.set(key, { id: key, name: address, state: "failed", error: error.message });
    if (!box.value) box.value = address; // to be mended
  }
  await poll();
}

function sent(key, file) {
  return new Promise(resolve => {
    const request = new XMLHttpRequest();
    request.open("POST", href("/api/documents"));
    request.upload.addEventListener("progress", event => { arriving.set(key, { ...arriving.get(key), done: event.loaded, known: event.total }); showIntake([]); });
    request.addEventListener("loadend", () => {
      if (request.status === 202) arriving.delete(key);
      else arriving.set(key, { id: key, name: file.name, state: "failed", error: said(request.responseText) });
      attempt(poll)();
      resolve();
    });
    const form = new FormData();
    form.append("file", file);
    request.send(form);
  });
}

function said(response) {
  try { return JSON.parse(response).message || t("problem.request"); } catch { return t("problem.connection"); }
}

// Requested only during uploads.
async function poll() {
  clearTimeout(polling);
  const items = await get("/api/uploads");
  showIntake(items);
  if (items.some(item => item.state === "waiting" || item.state === "reading")) {
    polling = setTimeout(attempt(poll), 500);
    busy = true;
  } else if (busy) {
    busy = false;
    await refresh();
    if ($("#document-list")) await list();
  }
}
let busy = false;
let known = [];

function showIntake(items) {
  if (items.length) known = items;
  const box = $("#intake");
  if (!box) return;
  box.replaceChildren(...[...arriving.values(), ...known].slice(0, 60).map(item => {
    const going = ["sending", "waiting", "reading"].includes(item.state);
    const share = going && item.known ? Math.round(100 * item.done / item.known) : null;
    return make("li", { "data-state": item.state }, make("span", { class: "name", dir: "auto", text: item.name }),
      make("span", { class: "state", text: t("intake." + item.state) + (share === null ? "" : ` ${share} %`) }),
      share === null ? "" : make("progress", { max: 100, value: share, "aria-label": item.name }),
      item.error ? make("p", { class: "error", dir: "auto", text: item.error }) : "");
  }));
}


async function showMap(event) {
  if (!event.target.open) return;
  const map = await get("/api/library");
  const chart = (title, rows) => {
    const most = Math.max(1, ...rows.map(([, count]) => count));
    return make("figure", {}, make("figcaption", { text: title }), make("div", { class: "bars" }, ...rows.map(([name, count]) => {
      const bar = make("i");
      bar.style.inlineSize = `${Math.max(1, 100 * count / most)}%`;
      return make("div", {}, make("span", { dir: "auto", text: name }), make("span", { class: "track" }, bar), make("b", { text: number(count) }));
    })));
  };
  const box = event.target.querySelector("div");
  box.replaceChildren(
    make("p", { class: "aside", text: t("library.sum", { documents: number(map.documents), passages: number(map.passages), characters: number(map.characters) }) }),
    chart(t("library.by.language"), Object.entries(map.languages).map(([tag, count]) => [language(tag), count])),
    chart(t("library.by.speaker"), Object.entries(map.speakers)), chart(t("library.by.year"), Object.entries(map.years).map(([year, count]) => [year || t("unknown.date"), count])),
    map.dated < map.documents ? make("p", { class: "aside", text: t("library.part", { count: number(map.dated) }) }) : "");
}
