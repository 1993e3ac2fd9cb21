// The page's data, its words, and small helpers. Modules don't access each other's state.
export const state = { ui: "", words: {}, start: null, conversation: null, leaf: null, running: null, waiting: [], mayAsk: true };

export const t = (key, values = {}) =>
  (state.words[key] ?? "").replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));

let root = document;
export const setRoot = element => { root = element; };
export const $ = selector => root.querySelector(selector);
export const $$ = selector => [...root.querySelectorAll(selector)];

// Elements are made with textContent, so words never become markup.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter(child => child != null));
  return element;
}

export function icon(name) {
  const holder = document.createElement("span");
  holder.innerHTML = `<svg class="i" aria-hidden="true"><use href="#i-${name}"></use></svg>`;
  return holder.firstElementChild;
}

export const remembered = (name, fallback) => {
  try { return JSON.parse(localStorage.getItem("attest." + name)) ?? fallback; } catch { return fallback; }
};
export const remember = (name, value) => {
  try { localStorage.setItem("attest." + name, JSON.stringify(value)); } catch { /* private window: not remembered */ }
};

// Messages between modules that don't import each other, as events of the window: "attest:ask", "attest:turn", ...
export const emit = (name, detail = {}) => window.dispatchEvent(new CustomEvent("attest:" + name, { detail }));
export const on = (name, heed) => window.addEventListener("attest:" + name, event => heed(event.detail ?? {}));

let toastTimer = 0;
export function toast(sentence, action) {
  const box = $("#toast");
  box.replaceChildren(make("span", { text: sentence }));
  if (action) {
    const button = make("button", { class: "quiet", text: action.label });
    button.addEventListener("click", () => { box.classList.remove("on"); action.run(); });
    box.append(button);
  }
  box.classList.add("on");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => box.classList.remove("on"), action ? 8000 : 4000);
}

export const announce = sentence => { $("#announce").textContent = sentence; };
export const narrow = () => matchMedia("(max-width: 899px)").matches;

// Actions for a click on data-do="name"; modules register theirs.
export const deeds = {};
export const attempt = deed => async (...values) => {
  try { return await deed(...values); } catch (error) { toast(error.message); return undefined; }
};

// A small modal question: resolves to the text or true, and to null if it is cancelled.
export function ask({ title, value = null, note = "", confirm, danger = false, long = false }) {
  const dialog = $("#ask-dialog");
  const input = value === null ? null
    : make(long ? "textarea" : "input", { id: "ask-input", dir: "auto", rows: long && 4, "aria-label": title, maxlength: 4000 });
  if (input) input.value = value;
  const yes = make("button", { class: danger ? "primary danger" : "primary", value: "yes", text: confirm });
  const no = make("button", { class: "quiet", value: "no", type: "button", text: t("cancel") });
  const form = make("form", { method: "dialog" }, make("h2", { text: title, dir: "auto" }),
    note ? make("p", { text: note }) : null, input, make("div", { class: "dialog-foot" }, no, yes));
  dialog.replaceChildren(form);
  dialog.setAttribute("aria-label", title);
  no.addEventListener("click", () => dialog.close("no"));
  dialog.returnValue = "";
  dialog.showModal();
  (input ?? yes).focus();
  input?.select?.();
  return new Promise(resolve => dialog.addEventListener("close", () =>
    resolve(dialog.returnValue === "yes" ? (input ? input.value : true) : null), { once: true }));
}
