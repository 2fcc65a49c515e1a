// Streamlit adds a history entry for every change of the address that the server makes. The shared choices (the city)
// that a page writes when the reader arrives from another page would then cost a second press of Back, on which
// nothing seems to happen. So what is written after an arrival and before the reader does anything replaces the entry.

export default function () {
  if (history.arrivalsReplaced) return;
  history.arrivalsReplaced = true;
  const push = history.pushState.bind(history);
  let arriving = false;
  const acted = () => { arriving = false; };
  addEventListener("pointerdown", acted, true);
  addEventListener("keydown", acted, true);
  history.pushState = (state, title, url) => {
    const next = new URL(url, location.href);
    if (next.pathname !== location.pathname) {
      arriving = true;
      return push(state, title, url);
    }
    return arriving ? history.replaceState(state, title, url) : push(state, title, url);
  };
}
