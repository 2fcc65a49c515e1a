// Two maps that move together, drawn from the JSON of a pydeck Deck with the deck.gl of pydeck's own wheel.
// Coordinates are metres in the grid's CRS, relative to the city centre: one bitmap pixel is one cell at every zoom,
// and the cell under the pointer is floor(coordinate / size) (deck's own bitmap pixel is off by one at edges).

const maps = new WeakMap();
const VIEW = "at"; // in the address
const PATIENCE_MS = 8000; // after which charts come, whether the maps are drawn or not
const BREATH_MS = 550; // of the thread after the still pictures: a pointer over them is answered
const STILL_MS = 2000; // after which deck.gl begins, whether the still pictures are seen or not

async function loadDeck(url) {
  if (!globalThis.deck?.JSONConverter) await import(new URL(url, document.baseURI).href);
  return globalThis.deck;
}

// Rasters of bytes, one after the other, as the page packed them: zlib in base64.
async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function hoverOf(map, hover) {
  if (hover.planes === map.packed) return { ...map.hover, ...hover };
  const all = await unpacked(hover.planes);
  const size = hover.width * hover.height;
  const planes = [0, 1, 2, 3, 4, 5].map((k) => all.subarray(k * size, (k + 1) * size));
  const [flags, census, predicted, further, low, high] = planes;
  const ends = hover.borders ? endsOf(new Int16Array((await unpacked(hover.borders)).buffer), hover) : null;
  return { ...hover, flags, census, predicted, further, low, high, ends };
}

// Ends of the borders of districts, as deck.gl takes them, from lines of column, row, column, row.
function endsOf(lines, { left, top, size }) {
  const length = lines.length / 4, ends = [new Float32Array(3 * length), new Float32Array(3 * length)];
  for (let k = 0; k < 2 * length; k += 1) {
    const place = 3 * (k >> 1);
    ends[k % 2].set([left + lines[2 * k] * size, top - lines[2 * k + 1] * size, 0], place);
  }
  const [getSourcePosition, getTargetPosition] = ends.map((value) => ({ value, size: 3 }));
  return { length, attributes: { getSourcePosition, getTargetPosition } };
}

// Cell under a coordinate: its place in the rasters and its lower-left corner in the grid CRS, or null outside.
function cellAt(hover, coordinate) {
  if (!coordinate || !hover) return null;
  const column = Math.floor((coordinate[0] - hover.left) / hover.size);
  const row = Math.floor((hover.top - coordinate[1]) / hover.size);
  if (column < 0 || row < 0 || column >= hover.width || row >= hover.height) return null;
  const index = row * hover.width + column;
  if (!hover.flags[index]) return null;
  return { index, x: hover.x0 + column * hover.size, y: hover.y0 - (row + 1) * hover.size };
}

// What the tooltip says; the words come from the page, in its language.
function describe(map, cell) {
  const { hover, words } = map;
  const said = (words, raster) => words.replace("{value}", raster[cell.index] || map.words.none);
  const census = hover.hasCensus // none on an upload
    ? [said(hover.flags[cell.index] & 2 ? words.imputed : words.census, hover.census)] : [];
  const further = words.further[(hover.further?.[cell.index] ?? 0) - 1];
  const district = hover.districts[(hover.low?.[cell.index] ?? 0) + 256 * (hover.high?.[cell.index] ?? 0) - 1];
  const more = [further, district].filter(Boolean);
  return [`N${cell.y} E${cell.x}`, ...census, said(words.predicted, hover.predicted), ...more];
}

// A round length that is about 90 px long: 1, 2 or 5 times a power of ten.
function roundLength(metres) {
  const power = 10 ** Math.floor(Math.log10(metres));
  return [5, 2, 1].find((step) => step * power <= metres) * power;
}

function drawScale(map) {
  const perPixel = 2 ** -map.view.zoom;
  const length = roundLength(90 * perPixel);
  map.scaleBar.style.width = `${length / perPixel}px`;
  map.scaleText.textContent = length >= 1000 ? `${length / 1000} km` : `${length} m`;
}

// What stands on the map, in the language of the page.
function label(map, data) {
  map.fit.textContent = data.words.whole;
  map.fit.title = data.words.whole_title;
  for (const part of ["closer", "farther"]) {
    map[part].title = data.words[part];
    map[part].setAttribute("aria-label", data.words[part]);
  }
  map.north.setAttribute("aria-label", data.words.north);
  map.north.style.transform = `rotate(${data.north}deg)`;
  drawScale(map);
}

function fitted(map, data) {
  const width = Math.max(map.root.clientWidth * (data.single ? 1 : 0.495), 100), height = Math.max(map.root.clientHeight, 100);
  const [metresWide, metresHigh] = data.extent;
  const zoom = Math.log2(Math.min((width - 36) / metresWide, (height - 36) / metresHigh));
  return { target: [0, 0, 0], zoom, minZoom: zoom - 1, maxZoom: 0 };
}

function zoomTo(map, zoom) {
  setView(map, { target: map.view.target, zoom: Math.min(Math.max(zoom, map.view.minZoom), 0) });
}

// A wheel turned over a map scrolls the page, as anywhere else, and says what zooms; deck.gl is not to see it.
function onWheel(map, event) {
  if (event.ctrlKey || event.metaKey) event.preventDefault(); // nor is the browser to zoom the page
  else event.stopImmediatePropagation();
  if (event.ctrlKey || event.metaKey || !map.moves) return;
  notice(map, map.words.wheel.replace("{key}", /Mac/.test(navigator.platform) ? "⌘" : "Ctrl"));
}

// Say something over the maps for a moment; without WebGL that place is taken.
function notice(map, text) {
  if (map.stands) return;
  map.notice.textContent = text;
  map.notice.hidden = false;
  clearTimeout(map.noticed);
  map.noticed = setTimeout(() => { map.notice.hidden = true; }, 1500);
}

// What the address says of the view, where it is of this place.
function viewAsked(map, data) {
  const asked = data.address ? viewInAddress(VIEW) : null;
  if (!asked) return null;
  const { x0, y0, left, top } = data.hover;
  const [east, north] = [asked[0] - x0 + left, asked[1] - y0 + top];
  if (Math.abs(east) > -left || Math.abs(north) > top) return null;
  const whole = fitted(map, data);
  return { ...whole, target: [east, north, 0], zoom: Math.min(Math.max(asked[2], whole.minZoom), whole.maxZoom) };
}

// Metres in the grid CRS and the zoom; nothing where the whole is shown.
function keepView(map) {
  if (!map.data.address) return;
  const { x0, y0, left, top } = map.data.hover, whole = fitted(map, map.data);
  const [east, north] = map.view.target.map(Math.round);
  const isWhole = !east && !north && Math.abs(map.view.zoom - whole.zoom) < 0.01;
  keepInAddress(VIEW, isWhole ? null : [x0 - left + east, y0 - top + north, map.view.zoom]);
}

function setView(map, view) {
  map.view = { ...map.view, target: view.target, zoom: Array.isArray(view.zoom) ? view.zoom[0] : view.zoom };
  map.deck?.setProps({ viewState: { left: map.view, right: map.view } });
  drawScale(map);
  keepView(map);
  if (!map.moves) showStill(map);
  drawMarked(map);
}

function showTooltip(map, info) {
  const cell = cellAt(map.hover, info.coordinate);
  if (!cell || info.x < 0) { map.tooltip.hidden = true; return; }
  map.tooltip.replaceChildren(...describe(map, cell).map((text) => {
    const line = document.createElement("div");
    line.textContent = text;
    return line;
  }));
  map.tooltip.hidden = false;
  const right = info.x > map.root.clientWidth - 180;
  map.tooltip.style.left = `${info.x + (right ? -12 : 12)}px`;
  map.tooltip.style.top = `${info.y + 12}px`;
  map.tooltip.style.transform = right ? "translateX(-100%)" : "";
}

function onKey(map, event) {
  const step = 40 * 2 ** -map.view.zoom;
  const [x, y] = map.view.target;
  const moves = {
    ArrowLeft: [x - step, y], ArrowRight: [x + step, y], ArrowUp: [x, y + step], ArrowDown: [x, y - step],
  };
  if (moves[event.key]) setView(map, { target: [...moves[event.key], 0], zoom: map.view.zoom });
  else if (event.key === "+" || event.key === "=") zoomTo(map, map.view.zoom + 0.5);
  else if (event.key === "-") zoomTo(map, map.view.zoom - 0.5);
  else if (event.key === "0") setView(map, fitted(map, map.data));
  else if (event.key === "Enter") choose(map, map.view.target);
  else if (event.key === "r" && map.rectangles) markCorner(map);
  else if (event.key === "Escape" && map.corner) markNothing(map);
  else return;
  event.preventDefault();
  tellMiddle(map);
}

// By the keyboard the middle is what the pointer is else: its cell is told.
function tellMiddle(map) {
  if (map.pointer || !map.canvas.matches(":focus-visible")) return;
  showTooltip(map, { coordinate: map.view.target, x: middleOf(map), y: map.root.clientHeight / 2 });
}

function choose(map, coordinate) {
  const cell = cellAt(map.hover, coordinate);
  if (cell) map.send("clicked", { x: cell.x, y: cell.y });
}

// Pixels from the side of a map to its middle, and from the side of the component to the map that holds a pixel.
const middleOf = (map) => map.root.clientWidth * (map.single ? 0.5 : 0.2475);
const startOf = (map, x) => map.single || x < map.root.clientWidth / 2 ? 0 : map.root.clientWidth * 0.505;

// Metres from the centre under a pixel of the component; both maps show the same place.
function coordinateAt(map, x, y) {
  const perPixel = 2 ** -map.view.zoom;
  const [east, north] = map.view.target;
  const across = x - startOf(map, x) - middleOf(map);
  return [east + across * perPixel, north - (y - map.root.clientHeight / 2) * perPixel];
}

// Where the map that begins at a pixel shows a coordinate.
function pixelOf(map, [x, y], start) {
  const pixels = 2 ** map.view.zoom;
  const [east, north] = map.view.target;
  return [start + middleOf(map) + (x - east) * pixels, map.root.clientHeight / 2 - (y - north) * pixels];
}

// Two corners, any way round, as a rectangle of whole cells in the grid CRS.
function sendRectangle(map, first, second) {
  const { left, top, size, x0, y0 } = map.hover;
  const columns = [first, second].map((corner) => Math.floor((corner[0] - left) / size)).sort((a, b) => a - b);
  const rows = [first, second].map((corner) => Math.floor((top - corner[1]) / size)).sort((a, b) => a - b);
  map.send("boxed", { west: x0 + columns[0] * size, east: x0 + (columns[1] + 1) * size,
    south: y0 - (rows[1] + 1) * size, north: y0 - rows[0] * size });
}

// By the key R: what the pointer stands on, else the middle of the map, is one corner, and at the second press the other.
function markCorner(map) {
  const at = map.pointer ? coordinateAt(map, ...map.pointer) : [...map.view.target];
  if (map.corner) {
    sendRectangle(map, map.corner, at);
    markNothing(map);
  } else {
    notice(map, map.words.corner);
    map.corner = at;
    drawMarked(map);
  }
}

function markNothing(map) {
  map.corner = null;
  map.frame.hidden = true;
}

// The rectangle from the corner that is marked to the pointer, else to the middle.
function drawMarked(map) {
  if (!map.corner) return;
  const end = map.pointer ?? [middleOf(map), map.root.clientHeight / 2];
  drawFrame(map, pixelOf(map, map.corner, startOf(map, end[0])), end);
}

function drawFrame(map, start, end) {
  map.frame.hidden = false;
  map.frame.style.left = `${Math.min(start[0], end[0])}px`;
  map.frame.style.top = `${Math.min(start[1], end[1])}px`;
  map.frame.style.width = `${Math.abs(start[0] - end[0])}px`;
  map.frame.style.height = `${Math.abs(start[1] - end[1])}px`;
}

// With the pointer over the maps the key needs no focus; Streamlit's own R, which runs the page again, is not to hear it.
function onKeyAnywhere(map, event) {
  if (event.key !== "r" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!map.pointer || !map.rectangles || event.composedPath()[0].closest?.("input, textarea, select")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  markCorner(map);
}

// With Shift held, a drag draws a rectangle; deck.gl is not to see it and pan.
function listenForRectangles(map) {
  const place = (event) => {
    const box = map.root.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  map.root.addEventListener("pointerdown", (event) => {
    if (!event.shiftKey || event.button !== 0 || !map.rectangles) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const start = place(event);
    const move = (moved) => {
      map.tooltip.hidden = true;
      drawFrame(map, start, place(moved));
    };
    const up = (ended) => {
      window.removeEventListener("pointermove", move, true);
      window.removeEventListener("pointerup", up, true);
      ended.stopImmediatePropagation();
      map.frame.hidden = true;
      const end = place(ended);
      if (Math.hypot(end[0] - start[0], end[1] - start[1]) < 4) return;
      sendRectangle(map, coordinateAt(map, ...start), coordinateAt(map, ...end));
    };
    window.addEventListener("pointermove", move, true);
    window.addEventListener("pointerup", up, true);
  }, true);
}

function viewsOf(deck, single) {
  const view = (id, x, width) =>
    new deck.OrthographicView({ id, flipY: false, x, width, controller: { keyboard: false } });
  return single ? [view("left", "0%", "100%")] : [view("left", "0%", "49.5%"), view("right", "50.5%", "49.5%")];
}

// Until deck.gl is loaded and has compiled its shaders (two seconds without a graphics card), and where there is no WebGL:
// the bitmaps as plain pictures, where deck.gl draws them.
function showStill(map) {
  clearStill(map);
  const perPixel = 2 ** -map.view.zoom, [x, y] = map.view.target;
  const shown = map.data.deck.layers.filter((layer) => layer["@@type"] === "BitmapLayer").flatMap((layer) =>
    ["left", "right"].filter((side) => layer.id.startsWith(`${side}-`) || layer.id.startsWith("both-")).map((side) => {
      const [west, south, east, north] = layer.bounds;
      const picture = new Image((east - west) / perPixel, (north - south) / perPixel);
      picture.alt = "";
      picture.className = "still";
      picture.style.left = `calc(50% - ${x / perPixel}px)`;
      picture.style.top = `calc(50% + ${y / perPixel}px)`;
      picture.style.imageRendering = layer.textureParameters.minFilter === "nearest" ? "pixelated" : "auto";
      picture.src = layer.image;
      map.root.querySelector(`.panel.${side}`).append(picture);
      return picture.decode();
    }));
  // for those who wait for the first picture
  Promise.allSettled(shown).then(() => {
    map.root.dataset.painted = "yes";
    // when they were on the screen, for those who measure: a frame later
    requestAnimationFrame(() => setTimeout(() => performance.mark("carreau-painted")));
    map.painted();
  });
}

// Where the pointer is; and what deck.gl will tell of it, as long as it is not there.
function listenToPointer(map) {
  const place = (event) => {
    const box = map.root.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return { x, y, coordinate: coordinateAt(map, x, y) };
  };
  map.root.addEventListener("pointermove", (event) => {
    const at = place(event);
    map.pointer = [at.x, at.y];
    drawMarked(map);
    if (!map.moves) showTooltip(map, at);
  }, true);
  map.root.addEventListener("pointerleave", () => {
    map.pointer = null;
    map.tooltip.hidden = true;
  });
  map.root.addEventListener("pointerdown", () => map.canvas?.focus({ preventScroll: true }), true);
  map.root.addEventListener("click", (event) => {
    if (!map.moves && !event.target.closest("button")) choose(map, place(event).coordinate);
  });
}

function clearStill(map) {
  map.root.querySelectorAll(".still").forEach((picture) => picture.remove());
}

// The page holds its charts back until the maps are there, or cannot be. Not said while the page answers the reader:
// a second request carries the address as it was before the answer, and what was chosen would be lost.
function sayPainted(map) {
  if (!map.data.first || map.said) return;
  map.said = true;
  const began = Date.now();
  const whenIdle = () => {
    const app = document.querySelector('[data-testid="stApp"]');
    const idle = !app || app.dataset.testScriptState === "notRunning" || Date.now() - began > PATIENCE_MS;
    if (!idle) setTimeout(whenIdle, 50);
    else if (map.root.isConnected) map.send("painted", true);
  };
  whenIdle();
}

function begin(parent, data) {
  const find = (name) => parent.querySelector(`[data-part="${name}"]`);
  const map = { root: find("root"), tooltip: find("tooltip"), scaleBar: find("bar"), scaleText: find("length"),
    north: find("north"), fit: find("fit"), closer: find("closer"), farther: find("farther"),
    frame: find("rectangle"), notice: find("notice"),
    data, place: data.place, single: data.single, bitmaps: new Map() };
  map.seen = new Promise((resolve) => { map.painted = resolve; });
  map.root.style.height = `${data.height}px`;
  map.root.classList.toggle("single", data.single);
  map.view = viewAsked(map, data) ?? fitted(map, data);
  map.wentBack = () => setView(map, viewAsked(map, map.data) ?? fitted(map, map.data));
  window.addEventListener("popstate", map.wentBack);
  map.keyed = (event) => onKeyAnywhere(map, event);
  window.addEventListener("keydown", map.keyed, true);
  label(map, data);
  listenToPointer(map);
  listenForRectangles(map);
  map.root.addEventListener("wheel", (event) => onWheel(map, event), { capture: true, passive: false });
  map.fit.addEventListener("click", () => setView(map, fitted(map, map.data)));
  map.closer.addEventListener("click", () => zoomTo(map, map.view.zoom + 0.5));
  map.farther.addEventListener("click", () => zoomTo(map, map.view.zoom - 0.5));
  setTimeout(() => sayPainted(map), PATIENCE_MS);
  map.made = finish(map).then(() => true, (error) => { stayStill(map, error); return false; });
  return map;
}

// Nothing but a notice can be done about a browser without WebGL.
function stayStill(map, error) {
  console.warn(`The maps stand still: ${error}`);
  map.stands = true;
  map.notice.textContent = map.data.words.still;
  map.notice.hidden = false;
  for (const button of [map.fit, map.closer, map.farther]) button.hidden = true;
  sayPainted(map);
}

// deck.gl's code, once it is there, holds the browser's thread for a second: pictures that are not on the screen by then,
// and a pointer over them, would wait behind it. So it comes over the network now, and runs a moment after them.
async function stillSeen(map, bundle) {
  if (globalThis.deck?.JSONConverter) return;
  const link = document.createElement("link");
  link.rel = "modulepreload";
  link.href = new URL(bundle, document.baseURI).href;
  document.head.append(link);
  await Promise.race([map.seen, new Promise((resolve) => { setTimeout(resolve, STILL_MS); })]);
  await new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve, BREATH_MS)); });
}

async function finish(map) {
  const { data } = map;
  await stillSeen(map, data.bundle);
  const deck = await loadDeck(data.bundle);
  map.converter = new deck.JSONConverter({ configuration: { classes: {
    BitmapLayer: deck.BitmapLayer, LineLayer: deck.LineLayer, PathLayer: deck.PathLayer } } });
  map.deck = new deck.Deck({
    parent: map.root,
    views: viewsOf(deck, data.single),
    viewState: { left: map.view, right: map.view },
    layers: [],
    layerFilter: ({ layer, viewport }) => layer.id.startsWith("both-") || layer.id.startsWith(`${viewport.id}-`),
    onViewStateChange: ({ viewState }) => {
      map.tooltip.hidden = true; // under a pointer that stands still now lies another cell
      setView(map, viewState);
    },
    onHover: (info) => showTooltip(map, info),
    onClick: (info) => choose(map, info.coordinate),
    getCursor: ({ isDragging }) => (isDragging ? "grabbing" : "crosshair"),
    style: { background: "transparent" },
    onAfterRender: () => {
      const { layers } = map.deck.props;
      const drawn = layers.length && layers.every((layer) => layer.isLoaded);
      // for those who wait for the picture: every bitmap is decoded and on the screen
      map.root.dataset.drawn = drawn ? "yes" : "no";
      if (!drawn || map.moves) return;
      map.moves = true;
      clearStill(map);
      sayPainted(map);
    },
    onError: (error) => (map.moves ? console.error(error) : stayStill(map, error)),
  });
  const canvas = map.root.querySelector("canvas");
  canvas.setAttribute("role", "application");
  canvas.setAttribute("tabindex", "0");
  map.canvas = canvas;
  canvas.addEventListener("keydown", (event) => onKey(map, event));
  canvas.addEventListener("focus", () => tellMiddle(map));
  canvas.addEventListener("blur", () => { map.tooltip.hidden = true; });
  map.resized = new ResizeObserver(() => {
    if (map.root.clientWidth !== map.width && map.width === 0) setView(map, fitted(map, map.data));
    map.width = map.root.clientWidth;
  });
  map.width = map.root.clientWidth;
  map.resized.observe(map.root);
}

// Bitmaps are decoded before their layers are shown: the old picture stays until the new one is whole.
async function withBitmaps(map, layers) {
  const decoded = new Map();
  const ready = await Promise.all(layers.map(async (layer) => {
    const url = layer.props.image;
    if (typeof url !== "string") return layer;
    const bitmap = map.bitmaps.get(url) ?? await createImageBitmap(await (await fetch(url)).blob());
    decoded.set(url, bitmap);
    return layer.clone({ image: bitmap });
  }));
  map.bitmaps = decoded;
  return ready;
}

async function update(map, data, send) {
  map.data = data;
  map.send = send;
  map.rectangles = data.rectangles;
  map.words = data.words;
  if (!data.first) map.said = false; // the page knows; a server started anew would ask again
  else if (map.moves || map.stands) sayPainted(map);
  if (!map.moves) showStill(map);
  const hover = await hoverOf(map, data.hover);
  if (map.data !== data) return; // newer data came meanwhile
  map.packed = data.hover.planes;
  map.hover = hover;
  if (!(await map.made) || map.data !== data) return;
  map.canvas.setAttribute("aria-label", data.label);
  label(map, data);
  if (map.place !== data.place) setView(map, viewAsked(map, data) ?? fitted(map, data));
  map.place = data.place;
  const layers = await withBitmaps(map, map.converter.convert(data.deck).layers);
  if (map.data !== data) return; // newer data came meanwhile
  if (hover.ends) { // over the pictures, under what marks a cell
    const above = layers.findIndex((one) => !(one instanceof globalThis.deck.BitmapLayer));
    layers.splice(above < 0 ? layers.length : above, 0, new globalThis.deck.LineLayer({
      id: "both-borders", data: hover.ends, getColor: [...data.ink, 255], widthUnits: "pixels", getWidth: 0.8 }));
  }
  map.deck.setProps({ layers });
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let map = maps.get(parentElement);
  if (!map) {
    map = begin(parentElement, data);
    maps.set(parentElement, map);
  }
  update(map, data, setTriggerValue);
  return () => {
    maps.delete(parentElement);
    window.removeEventListener("popstate", map.wentBack);
    window.removeEventListener("keydown", map.keyed, true);
    if (map.data.address) forgetInAddress(VIEW);
    map.made.then((made) => { if (made) { map.resized.disconnect(); map.deck.finalize(); } });
  };
}
