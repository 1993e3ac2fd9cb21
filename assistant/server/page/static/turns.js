// The actions for a turn: ask again, edit, other versions, copy, rate.
import { ask, deeds, emit, make, state, t, toast } from "./state.js";
import { post } from "./http.js";
import { wrong } from "./composer.js";
import { judge } from "./feedback.js";
import { quotesOf } from "./thread.js";

const turnOf = target => target.closest(".turn");
const questionOf = article => article.querySelector(".asked-text").textContent;

// A turn that the server never named can only be asked again at the end.
const parentOf = article => (article.dataset.turn ? article.dataset.parent || null : undefined);

deeds["turn.again"] = target => {
  const article = turnOf(target);
  const asked = { question: questionOf(article), parent: parentOf(article) };
  if (!article.dataset.turn) article.remove();
  emit("ask", asked);
};

// Asks what was typed, without corrections.
deeds["turn.verbatim"] = target => {
  const article = turnOf(target);
  emit("ask", { question: questionOf(article), parent: parentOf(article), verbatim: true });
};

deeds["turn.edit"] = async target => {
  const article = turnOf(target);
  const old = questionOf(article);
  const edited = await ask({ title: t("ask.edit"), value: old, confirm: t("ask.edit.send"), long: true });
  if (edited === null) return;
  const sentence = wrong(edited);
  if (sentence) { toast(sentence); return; }
  emit("ask", { question: edited.trim(), parent: parentOf(article) });
};

deeds["turn.version"] = async target => {
  await post(`conversations/${state.conversation}/branch`, { turn: target.dataset.version });
  emit("reopen");
};

deeds["turn.copy"] = async target => {
  const article = turnOf(target);
  const quotes = quotesOf(article).map(({ key, source, quote }) => `[${key}] ${source}: “${quote}”`);
  const answer = [...article.querySelectorAll(".answer-text > p")].map(plainText).join("\n\n");
  const text = [questionOf(article), answer, quotes.join("\n")].filter(Boolean).join("\n\n");
  await copied(text);
  toast(t("ask.copied"));
};

const plainText = paragraph => {
  const copy = paragraph.cloneNode(true);
  for (const mark of copy.querySelectorAll(".mark")) mark.textContent = `[${mark.dataset.key}]`;
  return copy.textContent;
};

export async function copied(text) {
  if (navigator.clipboard) {
    try { await navigator.clipboard.writeText(text); return; } catch { /* not allowed here: use the old way */ }
  }
  const area = make("textarea", { class: "hidden-label" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

for (const verdict of ["good", "bad"]) {
  deeds[`feedback.${verdict}`] = async target => {
    const article = turnOf(target);
    const pressed = target.getAttribute("aria-pressed") === "true";
    let comment = "";
    if (!pressed && verdict === "bad") {
      comment = await ask({ title: t("feedback.bad"), note: t("feedback.what"), value: "", confirm: t("save"), long: true });
      if (comment === null) return;
    }
    await judge(article, pressed ? "none" : verdict, null, comment);
    for (const button of article.querySelectorAll('[data-do="feedback.good"], [data-do="feedback.bad"]')) {
      button.setAttribute("aria-pressed", String(button === target && !pressed));
    }
  };
}
