// The view of a map or a photograph in the address, as a parameter x_y_zoom. It makes no entry in the history and asks
// nothing of the server, which need not know it: in_browser.js keeps it when the server writes the address. Read when the
// reader arrives, and at Back.

const SETTLED_MS = 250; // browsers allow some 200 changes of the address in half a minute
const viewsKept = (globalThis.carreauViews ??= new Map()); // parameter to text, empty for the whole

function viewInAddress(name) {
  const numbers = (new URLSearchParams(location.search).get(name) ?? "").split("_").map(Number);
  return numbers.length === 3 && numbers.every(Number.isFinite) ? numbers : null;
}

// Write a view, null for the whole, once it has stood still.
function keepInAddress(name, view) {
  viewsKept.set(name, view ? view.map((number) => Number(number.toFixed(3))).join("_") : "");
  clearTimeout(keepInAddress[name]);
  keepInAddress[name] = setTimeout(() => {
    const url = new URL(location.href), text = viewsKept.get(name);
    if (text === undefined || (url.searchParams.get(name) ?? "") === text) return;
    if (text) url.searchParams.set(name, text);
    else url.searchParams.delete(name);
    history.replaceState(history.state, "", url);
  }, SETTLED_MS);
}

function forgetInAddress(name) {
  clearTimeout(keepInAddress[name]);
  viewsKept.delete(name);
}
