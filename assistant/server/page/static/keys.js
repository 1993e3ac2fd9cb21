// The keyboard: shortcuts, and the list of them under "?".
import { $, deeds, emit, make, t } from "./state.js";
import { closeReader, hideHint, step } from "./sources.js";

const LIST = [
  ["Enter", "help.send"], ["Shift Enter", "help.line"], ["/", "help.focus"], ["Alt N", "help.new"],
  ["Alt K", "help.search"], ["Alt ↑ Alt ↓", "help.quotes"], ["Esc", "help.stop"], ["?", "help.help"],
];
const typing = target => target.closest?.("input, textarea, select, [contenteditable]");

export function mount() {
  document.addEventListener("keydown", event => {
    if (event.isComposing || document.querySelector("dialog[open]")) return;
    const deed = pressed(event);
    if (deed && deed() !== false) event.preventDefault();
  });
}

// Letters by their position on the keyboard, because on a Thai layout the N key types something else.
function pressed(event) {
  if (event.key === "Escape") return escape;
  if (event.altKey && !event.ctrlKey && !event.metaKey) {
    if (event.code === "KeyN") return deeds["conversation.new"];
    if (event.code === "KeyK") return search;
    if (event.key === "ArrowUp") return () => step(-1);
    if (event.key === "ArrowDown") return () => step(1);
    return null;
  }
  if (event.ctrlKey || event.metaKey || typing(event.target)) return null;
  if (event.key === "/") return () => $("#question").focus();
  if (event.key === "?") return deeds["help.open"];
  return null;
}

function escape() {
  if (!$("#hover").hidden) { hideHint(); return true; }
  if (closeReader()) return true;
  if (deeds["view.close"]?.()) return true;
  if (!$("#stop").hidden) { emit("stop"); return true; }
  return false;
}

function search() {
  $("#attest").classList.remove("side-closed");
  $("#conversation-search").focus();
}

deeds["help.open"] = () => {
  const dialog = $("#help-dialog");
  const rows = LIST.map(([keys, words]) => make("div", {}, make("dt", {}, ...keys.split(" ").map(key => make("kbd", { text: key }))),
    make("dd", { text: t(words) })));
  dialog.replaceChildren(make("form", { method: "dialog" }, make("h2", { text: t("help") }), make("dl", { class: "shortcuts" }, ...rows),
    make("div", { class: "dialog-foot" }, make("button", { class: "primary", text: t("close") }))));
  dialog.showModal();
};
