// Evaluation: run a suite, watch it, open its report, compare two runs, review drafts.
import { $, attempt, deeds, make, state, t } from "./state.js";
import { get, href, post } from "./http.js";
import { openView } from "./view.js";

let polling = 0;

export function mount() {
  $("#open-evaluation").hidden = !state.start.evaluates;
}

deeds["evaluation.open"] = async () => {
  const suites = await get("/api/evaluations/suites");
  const select = make("select", { id: "suite", "aria-label": t("evaluation.suite") }, ...suites.map(name => new Option(name, name)));
  const view = openView("evaluation",
    make("p", { class: "aside", text: t("evaluation.what") }),
    make("div", { class: "tools" }, select, make("button", { class: "primary", "data-do": "evaluation.run", text: t("evaluation.run") })),
    make("section", { id: "drafts", "aria-label": t("evaluation.drafts"), hidden: true }),
    make("ul", { id: "runs", class: "intake runs" }),
    make("div", { class: "tools" }, make("button", { class: "quiet", id: "compare", "data-do": "evaluation.compare", text: t("evaluation.compare") })));
  view.querySelector("#runs").addEventListener("change", comparable);
  select.addEventListener("change", attempt(listDrafts));
  await Promise.all([poll(), listDrafts()]);
};

const draftsOf = suite => `/api/evaluations/suites/${encodeURIComponent(suite)}/drafts`;

async function listDrafts() {
  showDrafts(await get(draftsOf($("#suite").value)));
}

function showDrafts(drafts) {
  const section = $("#drafts");
  if (!section) return;
  section.hidden = !drafts.length;
  section.replaceChildren(make("p", { class: "aside", role: "status", text: t("evaluation.drafts.left", { count: drafts.length }) }),
    make("ul", { class: "intake" }, ...drafts.map(draft => make("li", { "data-draft": draft.id },
      make("input", { value: draft.question, lang: draft.language, dir: "auto", "aria-label": t("evaluation.draft.question") }),
      make("p", { class: "aside", dir: "auto", text: `${draft.answers.join("; ") || t("evaluation.draft.unanswerable")} · ${draft.note}` }),
      make("div", { class: "tools" },
        make("button", { class: "quiet", "data-do": "draft.accept", text: t("evaluation.draft.accept") }),
        make("button", { class: "quiet", "data-do": "draft.drop", text: t("evaluation.draft.drop") }))))));
}

async function settle(button, keep) {
  const row = button.closest("li");
  const next = row.nextElementSibling?.dataset.draft;
  const question = keep ? row.querySelector("input").value : null;
  const place = `${draftsOf($("#suite").value)}/${encodeURIComponent(row.dataset.draft)}`;
  showDrafts(await post(place, { keep, question }));
  $("#drafts").querySelector(next ? `[data-draft="${CSS.escape(next)}"] input` : "input")?.focus();
}
deeds["draft.accept"] = button => settle(button, true);
deeds["draft.drop"] = button => settle(button, false);

deeds["evaluation.run"] = async () => {
  await post("/api/evaluations", { suite: $("#suite").value });
  await poll();
};
deeds["evaluation.stop"] = async () => { await post("/api/evaluations/stop"); await poll(); };

deeds["evaluation.compare"] = () => {
  const [after, before] = chosen();
  window.open(href("/api/evaluations/compare?" + new URLSearchParams({ before, after })), "_blank", "noopener");
};

const chosen = () => [...document.querySelectorAll("#runs input:checked")].map(box => box.value);
function comparable() { $("#compare").disabled = chosen().length !== 2; }

async function poll() {
  clearTimeout(polling);
  const list = $("#runs");
  if (!list) return;
  const kept = new Set(chosen());
  const runs = await get("/api/evaluations");
  list.replaceChildren(...runs.map(run => {
    const going = run.state === "running";
    const pick = make("input", { type: "checkbox", value: run.name, checked: kept.has(run.name), disabled: !run.has_report, "aria-label": `${t("evaluation.compare")}: ${run.name}` });
    const name = run.has_report
      ? make("a", { href: href(`/api/evaluations/${encodeURIComponent(run.name)}/report`), target: "_blank", rel: "noopener", text: run.name })
      : make("span", { text: run.name });
    return make("li", { "data-state": run.state, "data-run": run.name }, make("span", { class: "name" }, pick, name),
      make("span", { class: "state" }, `${t("evaluation." + run.state)} ${run.done}/${run.total}`,
        going ? make("button", { class: "quiet", "data-do": "evaluation.stop", text: t("stop") }) : ""),
      going ? make("progress", run.total ? { max: run.total, value: run.done, "aria-label": run.name } : { "aria-label": run.name }) : "",
      run.error ? make("p", { class: "error", text: run.error }) : "");
  }));
  comparable();
  if (runs.some(run => run.state === "running")) polling = setTimeout(attempt(poll), 1000);
}
