// The user's options for questions: sources, answer language, kind, translations, number of quotes. They are saved.
import { $, $$, attempt, deeds, make, remember, remembered, state, t } from "./state.js";
import { get } from "./http.js";

const NONE = { documents: [], speakers: [], languages: [], published_from: "", published_to: "" };
let filter = { ...NONE };
let titles = {}; // of chosen documents, by id

export function mount() {
  ({ filter = { ...NONE }, titles = {} } = remembered("filter", {}));
  const language = $("#answer-language");
  language.append(new Option(t("answer.language.own"), ""));
  for (const [tag, name] of Object.entries(state.start.answer_languages)) language.append(new Option(name, tag));
  $("#mode-chip").hidden = !state.start.written;
  for (const [name, fallback] of [["answer-language", ""], ["mode", ""], ["max-quotes", "5"]]) {
    const select = $("#" + name);
    select.value = remembered(name, fallback);
    if (select.selectedIndex < 0) select.value = fallback;
    select.addEventListener("change", () => remember(name, select.value));
  }
  const translate = $("#translate");
  $("#translate-chip").hidden = !state.start.translations;
  translate.checked = remembered("translate", false) === true;
  translate.addEventListener("change", () => remember("translate", translate.checked));
  count();
}

export function chosenOptions() {
  const mode = state.start.written ? $("#mode").value : "";
  return {
    mode: mode || null,
    answer_language: $("#answer-language").value || null,
    max_quotes: Number($("#max-quotes").value),
    translate: state.start.translations && $("#translate").checked,
    filter: { ...filter, published_from: filter.published_from || null, published_to: filter.published_to || null },
  };
}

const size = () => filter.documents.length + filter.speakers.length + filter.languages.length
  + (filter.published_from || filter.published_to ? 1 : 0);

function count() {
  $("#filters-count").textContent = size() ? t("filters.some", { count: size() }) : t("filters.all");
  $("#filters").classList.toggle("on", size() > 0);
}

deeds["filters.open"] = async () => {
  const dialog = $("#filter-dialog");
  const draft = structuredClone(filter);
  const draftTitles = { ...titles };
  const group = (label, values, list) => make("fieldset", {}, make("legend", { text: label }),
    make("div", { class: "choices" }, ...values.map(([value, name]) => choice(value, name, list))));
  const find = make("input", { type: "search", id: "filter-find", "aria-label": t("filters.find"), placeholder: t("filters.find") });
  const documents = make("div", { class: "choices", id: "filter-documents" });
  const date = (name, label) => {
    const input = make("input", { id: "filter-" + name, placeholder: t("filters.date"), inputmode: "numeric", value: draft[name] });
    input.addEventListener("input", () => { draft[name] = input.value.trim(); checkDates(form, draft); });
    return make("label", {}, make("span", { text: label }), input);
  };
  const showDocuments = attempt(async () => {
    const { documents: found } = await get("/api/documents?" + new URLSearchParams({ find: find.value, limit: 100 }));
    const listed = new Map(draft.documents.map(id => [id, draftTitles[id] ?? id]));
    for (const { id, title } of found) listed.set(id, title);
    documents.replaceChildren(...[...listed].map(([id, title]) => { draftTitles[id] = title; return choice(id, title, draft.documents); }));
  });
  let timer = 0;
  find.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(showDocuments, 150); });
  const form = make("form", { method: "dialog" }, make("h2", { text: t("filters") }),
    group(t("filters.languages"), state.start.languages.map(({ tag, name }) => [tag, name]), draft.languages),
    group(t("filters.speakers"), state.start.speakers.map(name => [name, name]), draft.speakers),
    make("fieldset", {}, make("legend", { text: t("filters.documents") }), find, documents),
    make("fieldset", { class: "dates" }, date("published_from", t("filters.from")), date("published_to", t("filters.to"))),
    make("div", { class: "dialog-foot" }, make("button", { class: "quiet", type: "button", id: "filter-clear", text: t("filters.clear") }),
      make("button", { class: "primary", value: "yes", text: t("filters.apply") })));
  form.querySelector("#filter-clear").addEventListener("click", () => { apply({ ...NONE }, {}); dialog.close(); });
  form.addEventListener("submit", () => apply(draft, draftTitles));
  dialog.replaceChildren(form);
  dialog.showModal();
  await showDocuments();
};

// The browser shows these sentences at the box, and sends nothing until they are cleared.
function checkDates(form, { published_from: from, published_to: to }) {
  const [first, last] = form.querySelectorAll(".dates input");
  first.setCustomValidity(from && !isDate(from) ? t("problem.date") : "");
  last.setCustomValidity(to && !isDate(to) ? t("problem.date") : from && to && to < from.slice(0, to.length) ? t("problem.dates") : "");
}

function isDate(text) {
  const [, year, month = "01", day = "01"] = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/.exec(text) ?? [];
  if (!Number(year)) return false;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(`${year}-${month}-${day}`);
}

function choice(value, name, list) {
  const box = make("input", { type: "checkbox", value, checked: list.includes(value) });
  box.addEventListener("change", () => {
    if (box.checked) list.push(value); else list.splice(list.indexOf(value), 1);
  });
  return make("label", { class: "choice" }, box, make("span", { dir: "auto", text: name }));
}

function apply(chosen, names) {
  filter = chosen;
  titles = Object.fromEntries(chosen.documents.map(id => [id, names[id] ?? id]));
  remember("filter", { filter, titles });
  count();
}
