// Requests to the page's own addresses and to the API ("/api/..."). A failure becomes a sentence to show.
import { t, state } from "./state.js";

const url = path => new URL(path.startsWith("/api/") ? path.slice(1) : "attest/" + path, document.baseURI);

async function reply(path, options) {
  const address = url(path);
  if (state.ui) address.searchParams.set("ui", state.ui);
  let response;
  try {
    response = await fetch(address, { credentials: "same-origin", ...options });
  } catch (error) {
    throw options.signal?.aborted ? error : new Error(t("problem.connection"));
  }
  if (response.status === 401) location.reload(); // the session has ended: the server shows where to sign in again
  return response;
}

async function request(path, options = {}) {
  const response = await reply(path, options);
  if (response.status === 204) return null;
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(typeof body.message === "string" ? body.message : t("problem.request"));
  return body;
}

const json = (method, body) => ({ method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
const sending = method => (path, body) => request(path, json(method, body));

// The values of a reply sent line by line; null for an empty line, which only means that more will come.
export async function* values(path, body, signal) {
  const response = await reply(path, { ...json("POST", body), signal });
  if (!response.ok) {
    const said = await response.json().catch(() => ({}));
    throw Object.assign(new Error(said.message ?? t("problem.many")), { busy: response.status >= 502 && !said.message });
  }
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + part.value).split("\n");
    rest = lines.pop();
    for (const line of lines) yield line ? JSON.parse(line) : null;
  }
}

export const get = path => request(path);
export const post = sending("POST");
export const patch = sending("PATCH");
export const remove = path => request(path, { method: "DELETE" });
export const href = path => { const a = url(path); if (state.ui) a.searchParams.set("ui", state.ui); return a.href; };
export const leave = () => fetch(url("sign-out"), { method: "POST", credentials: "same-origin", redirect: "manual" });
