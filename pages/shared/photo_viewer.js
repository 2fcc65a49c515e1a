// The photograph of a cell, the map over it and the outlines, as layers of one sheet that is moved and enlarged as a
// whole: what lies on what cannot change with the view. Places on the sheet are in sides of the cell, from its
// north-west corner: x to the east, y to the south. A view is the place in the middle and the zoom, 1 where the cell
// fills the window.

const viewers = new WeakMap();
const VIEW = "near"; // in the address
const FLAT = ["photograph", "around", "evidence"];
const SVG = "http://www.w3.org/2000/svg";

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// How far the sheet goes beyond the cell on each side.
const reach = (viewer) => (viewer.data.around ? 1 : 0);
const farthest = (viewer) => 1 / (1 + 2 * reach(viewer));

// The zoom at which a pixel of the photograph is 12 pixels of the screen wide.
function closest(viewer) {
  return Math.max(4, (12 * viewer.data.pixels) / Math.max(viewer.window.clientWidth, 1));
}

function setView(viewer, view) {
  const zoom = clamp(view.zoom, farthest(viewer), closest(viewer));
  const half = 0.5 / zoom, beyond = reach(viewer);
  const x = clamp(view.x, half - beyond, 1 + beyond - half);
  const y = clamp(view.y, half - beyond, 1 + beyond - half);
  viewer.view = { x, y, zoom };
  // in percent of the sheet, which is as large as the window: right at every size of it
  const shift = (place) => `${100 * (0.5 - place * zoom)}%`;
  viewer.sheet.style.transform = `translate(${shift(x)}, ${shift(y)}) scale(${zoom})`;
  viewer.sheet.style.setProperty("--zoom", zoom);
  const perPixel = (viewer.window.clientWidth * zoom) / viewer.data.pixels;
  viewer.parts.photograph.classList.toggle("pixels", perPixel > 4);
  viewer.window.dataset.view = [x, y, zoom].join(" ");
  drawScale(viewer);
  keepInAddress(VIEW, zoom === farthest(viewer) ? null : [x, y, zoom]);
}

function whole(viewer) {
  setView(viewer, { x: 0.5, y: 0.5, zoom: farthest(viewer) });
}

function asAsked(viewer) {
  const asked = viewInAddress(VIEW);
  if (asked) setView(viewer, { x: asked[0], y: asked[1], zoom: asked[2] });
  else whole(viewer);
}

// A round length that is at most a quarter of the window: 1, 2 or 5 times a power of ten.
function drawScale(viewer) {
  const across = viewer.data.size / viewer.view.zoom; // metres in the window
  const power = 10 ** Math.floor(Math.log10(across / 4));
  const length = [5, 2, 1].find((step) => step * power <= across / 4) * power;
  viewer.bar.style.width = `${(100 * length) / across}%`;
  viewer.bar.textContent = `${length.toLocaleString(viewer.data.language)} m`;
}

// The view after a step of zoom that leaves the place under (u, v) where it is; u, v from 0 to 1 across the window.
function zoomed(viewer, factor, u = 0.5, v = 0.5) {
  const { x, y, zoom } = viewer.view;
  const to = clamp(zoom * factor, farthest(viewer), closest(viewer));
  return { x: x + (u - 0.5) * (1 / zoom - 1 / to), y: y + (v - 0.5) * (1 / zoom - 1 / to), zoom: to };
}

function placeInWindow(viewer, event) {
  const box = viewer.window.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

// Without the key the page scrolls, as over the maps of the other pages.
function onWheel(viewer, event) {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault(); // the browser is not to zoom the page
  const step = clamp(-event.deltaY * (event.deltaMode === 1 ? 33 : 1), -150, 150);
  setView(viewer, zoomed(viewer, 2 ** (step / 200), ...placeInWindow(viewer, event)));
}

function onKey(viewer, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { x, y, zoom } = viewer.view;
  const step = 0.1 / zoom;
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  if (moves[event.key]) setView(viewer, { x: x + moves[event.key][0], y: y + moves[event.key][1], zoom });
  else if (event.key === "+" || event.key === "=") setView(viewer, zoomed(viewer, Math.SQRT2));
  else if (event.key === "-") setView(viewer, zoomed(viewer, Math.SQRT1_2));
  else if (event.key === "0") whole(viewer);
  else return;
  event.preventDefault();
}

function onPress(viewer, event) {
  if (event.button !== 0) return;
  const start = { ...viewer.view }, from = placeInWindow(viewer, event);
  viewer.window.setPointerCapture(event.pointerId);
  viewer.window.classList.add("moving");
  const move = (moved) => {
    const at = placeInWindow(viewer, moved);
    setView(viewer, { x: start.x - (at[0] - from[0]) / start.zoom, y: start.y - (at[1] - from[1]) / start.zoom,
      zoom: start.zoom });
  };
  const end = () => {
    viewer.window.classList.remove("moving");
    viewer.window.removeEventListener("pointermove", move);
  };
  viewer.window.addEventListener("pointermove", move);
  for (const name of ["pointerup", "pointercancel"]) viewer.window.addEventListener(name, end, { once: true });
}

function showOpacity(viewer) {
  const percent = viewer.parts.opacity.value;
  viewer.parts.evidence.style.opacity = percent / 100;
  viewer.parts["opacity-value"].textContent = viewer.data.texts.percent.replace("{n}", percent);
}

function create(parent) {
  const parts = Object.fromEntries(
    [...parent.querySelectorAll("[data-part]")].map((element) => [element.dataset.part, element]));
  const viewer = { parts, window: parts.window, sheet: parts.sheet, bar: parts.bar, turn: 0 };
  parts.window.addEventListener("wheel", (event) => onWheel(viewer, event), { passive: false });
  parts.window.addEventListener("keydown", (event) => onKey(viewer, event));
  parts.window.addEventListener("pointerdown", (event) => onPress(viewer, event));
  parts.window.addEventListener("dblclick", (event) =>
    setView(viewer, zoomed(viewer, 2, ...placeInWindow(viewer, event))));
  parts.closer.addEventListener("click", () => setView(viewer, zoomed(viewer, 2)));
  parts.farther.addEventListener("click", () => setView(viewer, zoomed(viewer, 0.5)));
  parts.whole.addEventListener("click", () => whole(viewer));
  // seen at once; the address is told when the reader lets go
  parts.opacity.addEventListener("input", () => showOpacity(viewer));
  parts.opacity.addEventListener("change", () => viewer.send("evidence", Number(parts.opacity.value)));
  viewer.resized = new ResizeObserver(() => { if (viewer.view) setView(viewer, viewer.view); });
  viewer.resized.observe(parts.window);
  // at once, and again when another cell comes
  viewer.wentBack = () => { viewer.asked = true; if (viewer.view) asAsked(viewer); };
  window.addEventListener("popstate", viewer.wentBack);
  return viewer;
}

// Pictures are decoded before any is shown: the layers of one cell are never seen over the photograph of another.
async function decoded(data) {
  await Promise.all(FLAT.filter((name) => data[name]).map(async (name) => {
    const picture = new Image();
    picture.src = data[name];
    await picture.decode().catch(() => {});
  }));
}

function drawOutlines(viewer, data) {
  const { outlines } = viewer.parts;
  const line = (shape, colour, width, opacity) => {
    const path = document.createElementNS(SVG, "path");
    for (const [name, value] of Object.entries({ d: shape.path, stroke: colour, opacity })) path.setAttribute(name, value);
    path.style.strokeWidth = `calc(${width}px / var(--zoom))`; // as wide on the screen at every zoom
    return path;
  };
  outlines.setAttribute("viewBox", `0 0 ${data.size} ${data.size}`);
  outlines.setAttribute("aria-label", data.texts.outlines);
  const cell = data.around ? [{ path: `M0 0H${data.size}V${data.size}H0Z` }] : [];
  outlines.replaceChildren(...data.outlines.map((shape) => line(shape, "#14181B", 4, 0.75)),
    ...data.outlines.map((shape) => line(shape, shape.colour, 2.2, 1)),
    ...cell.map((shape) => line(shape, "#14181B", 6, 0.8)), ...cell.map((shape) => line(shape, "#FFFFFF", 3, 1)));
  outlines.toggleAttribute("hidden", !outlines.childElementCount);
}

async function update(viewer, data, send) {
  viewer.send = send;
  const turn = ++viewer.turn;
  await decoded(data);
  if (turn !== viewer.turn) return; // newer data came meanwhile
  const { parts } = viewer;
  const moved = viewer.data?.place !== data.place;
  const told = viewer.data?.opacity !== data.opacity;
  viewer.data = data;
  for (const name of FLAT) {
    parts[name].hidden = !data[name];
    if (data[name]) parts[name].src = data[name];
    parts[name].alt = data.texts[name] ?? "";
  }
  drawOutlines(viewer, data);
  parts.window.setAttribute("aria-label", data.texts.label);
  parts.window.title = data.texts.keys;
  parts["opacity-name"].textContent = data.texts.opacity;
  parts.closer.setAttribute("aria-label", data.texts.closer);
  parts.closer.title = data.texts.closer;
  parts.farther.setAttribute("aria-label", data.texts.farther);
  parts.farther.title = data.texts.farther;
  parts.whole.textContent = data.texts.whole;
  parts.opacity.disabled = !data.evidence;
  parts.opacity.parentElement.setAttribute("aria-disabled", String(!data.evidence));
  if (told) parts.opacity.value = data.opacity;
  showOpacity(viewer);
  if (!viewer.view || (moved && viewer.asked)) asAsked(viewer);
  else if (moved) whole(viewer);
  else setView(viewer, viewer.view);
  viewer.asked = false;
  parts.window.dataset.drawn = "yes";
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let viewer = viewers.get(parentElement);
  if (!viewer) {
    viewer = create(parentElement);
    viewers.set(parentElement, viewer);
  }
  update(viewer, data, setTriggerValue);
  return () => {
    viewers.delete(parentElement);
    window.removeEventListener("popstate", viewer.wentBack);
    forgetInAddress(VIEW);
    viewer.resized.disconnect();
  };
}
