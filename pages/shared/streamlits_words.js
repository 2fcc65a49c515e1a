// The words that Streamlit itself puts on a page, for which it has no option, in the reader's language.

const ATTRIBUTES = ["aria-label", "data-title", "placeholder", "title"];
// where its words are texts; elsewhere a text may be a name of the data
const PLACES = ["stFileUploader", "stElementToolbar", "stDataFrameColumnMenu", "stTooltipContent", "stSelectboxVirtualDropdown", "stSkipToContent"]
  .map((name) => `[data-testid="${name}"]`).concat('[role="menu"]', '[role="listbox"]').join();
const spoken = new WeakMap(); // a node's words as Streamlit wrote them and as they are said now, by attribute
let ownWords = {};

function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// A text of Streamlit's in the reader's language; any other text as it is.
function said(text, node) {
  if (Object.hasOwn(ownWords, text)) return ownWords[text];
  const each = /^(\S+) per file(.*)$/.exec(text);
  if (each) return fill(ownWords["{size} per file"], { size: sizeOf(each[1]) }) + each[2];
  const kind = /^(.+) files are not allowed\.$/.exec(text);
  if (kind) return fill(ownWords["{kind} files are not read here; bring {endings}."], { kind: kind[1], endings: endingsAt(node) });
  const about = /^(Help for|Remove) (.+)$/s.exec(text);
  if (about) return fill(ownWords[`${about[1]} {what}`], { what: about[2] });
  const act = /^([^:]+): (.+)$/s.exec(text);
  if (act && Object.hasOwn(ownWords, act[1])) return fill(ownWords["{act}: {what}"], { act: ownWords[act[1]], what: act[2] });
  return sizeOf(text);
}

// A size as Streamlit writes it ("1.4MB"); any other text as it is.
function sizeOf(text) {
  const [, n, unit] = /^([\d.]+)(B|KB|MB|GB)$/.exec(text) ?? [];
  if (!n) return text;
  const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 }).format(Number(n));
  return fill(ownWords[`{n} ${unit === "KB" ? "kB" : unit}`], { n: number });
}

// The endings of files that the place around a node takes.
function endingsAt(node) {
  const taken = node.parentElement?.closest('[data-testid="stFileUploader"]')?.querySelector("input")?.accept ?? "";
  return taken.split(",").filter((ending) => ending.startsWith(".")).join(", ");
}

function say(node, name, now, write) {
  const before = spoken.get(node)?.[name];
  const written = before?.said === now ? before.written : now;
  const text = said(written, node);
  if (text === now) return;
  spoken.set(node, { ...spoken.get(node), [name]: { written, said: text } });
  write(text);
}

function sayAll() {
  for (const element of document.querySelectorAll(ATTRIBUTES.map((name) => `[${name}]`).join())) {
    for (const name of ATTRIBUTES) {
      const now = element.getAttribute(name);
      if (now) say(element, name, now, (text) => element.setAttribute(name, text));
    }
  }
  for (const place of document.querySelectorAll(PLACES)) {
    const texts = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const node = texts.currentNode;
      say(node, "text", node.nodeValue, (text) => { node.nodeValue = text; });
    }
  }
  // named and without a role at once: assistive software may drop the name (axe: presentation-role-conflict)
  for (const place of document.querySelectorAll('[data-testid="stFileUploaderDropzone"][role="presentation"]')) {
    place.setAttribute("role", "group");
  }
}

function speakFor(words) {
  ownWords = words;
  sayAll();
  if (document.hasOwnWords) return;
  document.hasOwnWords = true;
  let isDue = false;
  new MutationObserver(() => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => { isDue = false; sayAll(); });
  }).observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES });
}
