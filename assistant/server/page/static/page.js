// The page: mounts the shell that Gradio rendered.
import { $, $$, attempt, deeds, narrow, remember, remembered, setRoot, state, t } from "./state.js";
import { get } from "./http.js";
import * as chat from "./chat.js";
import * as composer from "./composer.js";
import * as thread from "./thread.js";
import "./turns.js";
import * as sources from "./sources.js";
import * as side from "./side.js";
import * as options from "./options.js";
import * as library from "./library.js";
import * as evaluation from "./evaluation.js";
import * as tokens from "./tokens.js";
import * as keys from "./keys.js";

export async function mount(element) {
  setRoot(element);
  const root = element.querySelector("#attest");
  applyTheme(remembered("theme", "system"));
  const wish = remembered("ui", null);
  state.ui = wish ?? "";
  state.start = await get("start");
  applyWords();
  root.addEventListener("click", event => {
    const target = event.target.closest("[data-do]");
    if (!target || target.disabled) return;
    const deed = deeds[target.dataset.do];
    if (deed) attempt(deed)(target, event);
  });
  $("#ui-language").addEventListener("change", event => {
    remember("ui", event.target.value);
    location.reload();
  });
  $("#theme").addEventListener("change", event => {
    remember("theme", event.target.value);
    applyTheme(event.target.value);
  });
  options.mount();
  sources.mount(root);
  thread.mount();
  composer.mount();
  chat.mount();
  side.mount(root);
  library.mount(root);
  evaluation.mount();
  tokens.mount();
  keys.mount(root);
  root.hidden = false;
  document.documentElement.classList.add("attest-ready");
  composer.grow();
  await attempt(side.openFromAddress)();
  // On a phone, focus would open the keyboard over half of the page.
  if (!narrow()) $("#question").focus({ preventScroll: true });
}

function applyWords() {
  const { start } = state;
  state.words = start.words;
  state.ui = start.ui;
  document.documentElement.lang = start.ui;
  for (const element of $$("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of $$("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
    if (element.matches("button, summary")) element.title = t(element.dataset.tLabel);
  }
  for (const element of $$("[data-t-placeholder]")) element.placeholder = t(element.dataset.tPlaceholder);
  const select = $("#ui-language");
  select.replaceChildren(...Object.entries(start.uis).map(([tag, name]) => new Option(name, tag, false, tag === start.ui)));
  $("#theme").value = remembered("theme", "system");
}

function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
}
