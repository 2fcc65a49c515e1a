// What the server cannot do itself: one entry a reader's act in the history, the document's language, a cookie.
//
// Streamlit adds a history entry for every change of the address that the server makes: the shared choices (the city)
// that a page writes when the reader arrives, or the parameters and then the path when a table row leads to another
// page. Each would cost a press of Back on which nothing seems to happen. So the reader's own acts make entries, one
// each, and whatever else the server writes before the next act replaces the entry.

// An address of the same page with the views that view_address.js keeps, of which the server does not know.
function withViews(url) {
  const to = new URL(url, location.href);
  if (to.pathname !== location.pathname) return url;
  for (const [name, text] of globalThis.carreauViews ?? []) {
    if ((to.searchParams.get(name) ?? "") === text) continue;
    if (text) to.searchParams.set(name, text);
    else to.searchParams.delete(name);
  }
  return to.href;
}

export default function ({ data }) {
  document.documentElement.lang = data.language; // for screen readers and hyphenation
  speakFor(data.words);
  // a year; the server only reads it, to know whether to explain itself
  if (data.seen) document.cookie = "carreau-seen=1; max-age=31536000; path=/; samesite=strict";
  if (history.oneEntryAnAct) return;
  history.oneEntryAnAct = true;
  const push = history.pushState.bind(history);
  let acted = false;
  const act = () => { acted = true; };
  addEventListener("pointerdown", act, true);
  addEventListener("keydown", act, true);
  // a similar cell is another cell on the same page: the reader begins at its head
  addEventListener("click", ({ target }) => {
    if (target.closest?.(".st-key-similar a")) document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
  });
  // a menu opened by a key gets the keys: it is drawn at the end of the document, behind every control of the page
  addEventListener("keydown", ({ key, target }) => {
    if (!["Enter", " "].includes(key) || !target.closest?.('[data-testid="stPopoverButton"]')) return;
    let frames = 60;
    const enter = () => {
      const first = document.querySelector('[data-testid="stPopoverBody"]')?.querySelector("button:not([disabled]), input, [tabindex='0']");
      if (first) first.focus();
      else if (frames--) requestAnimationFrame(enter);
    };
    requestAnimationFrame(enter);
  });
  history.pushState = (state, title, url) => {
    const whole = withViews(url);
    if (!acted) return history.replaceState(state, title, whole);
    acted = false;
    return push(state, title, whole);
  };
}
