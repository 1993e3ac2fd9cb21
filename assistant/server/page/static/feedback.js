// Verdicts on an answer or on one of its quotes.
import { t, toast } from "./state.js";
import { post } from "./http.js";

export async function judge(article, verdict, citation, comment = "") {
  await post("/api/feedback", { turn: article.dataset.turn, verdict, citation, comment });
  toast(t(verdict === "none" ? "feedback.withdrawn" : "feedback.thanks"));
}
