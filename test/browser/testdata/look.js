// Finds what is wrong with the page as it stands, as a list of texts.
(() => {
  const problems = [];
  const report = (what, element) => {
    const name = element?.name || element?.id || element?.textContent?.trim().slice(0, 40) || "";
    problems.push(what + (element ? ` (${element.localName} ${name})` : ""));
  };
  const seen = (e) => e.checkVisibility({ checkVisibilityCSS: true }) && e.getBoundingClientRect().width > 1;
  const controls = Array.from(document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a[href]")).filter(seen);

  const ids = new Set();
  for (const e of document.querySelectorAll("[id]")) {
    if (ids.has(e.id)) report("an id is used twice: " + e.id, e);
    ids.add(e.id);
  }
  for (const e of controls) {
    if (e.labels && e.localName !== "button" && !Array.from(e.labels).some((l) => seen(l) && l.textContent.trim())) report("no visible label", e);
    if (e.tabIndex !== 0) report("not in the focus order, or ahead of it", e);
    const box = e.getBoundingClientRect();
    if (box.left < 0 || box.right > innerWidth) report("sticks out of the screen", e);
    if ((e.localName !== "a" || e.classList.contains("button")) && (box.width < 24 || box.height < 24)) report("too small to hit", e);
  }
  if (document.documentElement.scrollWidth > innerWidth) report(`scrolls sideways: ${document.documentElement.scrollWidth} on ${innerWidth}`);
  if (document.querySelectorAll("h1").length !== 1) report("not one h1");
  if (document.querySelector(".summary") && document.activeElement !== document.querySelector(".summary")) report("the error summary has no focus");
  for (const e of document.images) if (!e.complete || !e.naturalWidth) report("an image is broken", e);

  // WCAG 2.2, relative luminance and contrast ratio.
  const colour = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (front, back) => ({
    r: front.r * front.a + back.r * (1 - front.a), g: front.g * front.a + back.g * (1 - front.a), b: front.b * front.a + back.b * (1 - front.a), a: 1,
  });
  const ground = (e) => {
    if (!e) return matchMedia("(prefers-color-scheme: dark)").matches ? { r: 0, g: 0, b: 0, a: 1 } : { r: 255, g: 255, b: 255, a: 1 };
    const own = colour(getComputedStyle(e).backgroundColor);
    return own.a === 1 ? own : over(own, ground(e.parentElement));
  };
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const read = (e) => {
    if (!seen(e)) return;
    const back = ground(e);
    const [low, high] = [luminance(over(colour(getComputedStyle(e).color), back)), luminance(back)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) report(`contrast of ${ratio.toFixed(2)}`, e);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const parents = new Set();
  while (texts.nextNode()) if (texts.currentNode.data.trim()) parents.add(texts.currentNode.parentElement);
  for (const e of document.querySelectorAll("input:not([type=hidden]), select")) parents.add(e);
  parents.forEach(read);
  return problems;
})()
