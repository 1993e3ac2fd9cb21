// Panels opened from the side over the conversation: the library, evaluations, tokens.
import { $, $$, deeds, icon, make, narrow, t } from "./state.js";

// `name` is that of the button `#open-name`, and of the heading's phrase.
export function openView(name, ...children) {
  if (narrow()) deeds["side.close"]();
  const view = $("#view");
  const heading = make("h2", { text: t(name), tabindex: "-1" });
  view.replaceChildren(make("header", { class: "view-head" }, heading,
    make("button", { class: "icon", "data-do": "view.close", "aria-label": t("close"), title: t("close") }, icon("close"))), ...children);
  view.hidden = false;
  markOpen(name);
  heading.focus();
  return view;
}

function markOpen(name) {
  for (const button of $$(".side-foot [aria-current]")) button.removeAttribute("aria-current");
  if (name) $(`#open-${name}`).setAttribute("aria-current", "page");
}

deeds["view.close"] = () => {
  const view = $("#view");
  if (view.hidden) return false;
  view.hidden = true;
  view.replaceChildren();
  markOpen(null);
  return true;
};
