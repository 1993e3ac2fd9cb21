// The library view: what is in it, adding and removing. Filled in by its own module.
import { $ , state, t } from "./state.js";

export function mount() {
  $("#library-size").textContent = t("library.size", { count: new Intl.NumberFormat(state.ui).format(state.start.documents) });
}
export function receive() {}
