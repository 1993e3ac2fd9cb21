// Requests to the page's own addresses, and to those of the API ("/api/..."). A failure becomes a sentence that can be shown.
import { t, state } from "./state.js";

const url = path => new URL(path.startsWith("/api/") ? path.slice(1) : "attest/" + path, document.baseURI);

async function request(path, options = {}) {
  const address = url(path);
  if (state.ui) address.searchParams.set("ui", state.ui);
  let response;
  try {
    response = await fetch(address, { credentials: "same-origin", ...options });
  } catch {
    throw new Error(t("problem.connection"));
  }
  if (response.status === 401) location.reload(); // the session has ended: the server shows where to begin another
  if (response.status === 204) return null;
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(typeof body.message === "string" ? body.message : t("problem.request"));
  return body;
}

const sending = method => (path, body) =>
  request(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });

export const get = path => request(path);
export const post = sending("POST");
export const patch = sending("PATCH");
export const remove = path => request(path, { method: "DELETE" });
export const href = path => { const a = url(path); if (state.ui) a.searchParams.set("ui", state.ui); return a.href; };
export const leave = () => fetch(url("sign-out"), { method: "POST", credentials: "same-origin", redirect: "manual" });
