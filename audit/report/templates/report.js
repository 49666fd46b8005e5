"use strict";
(() => {
  const bar = document.querySelector(".filter");
  const find = document.getElementById("find");
  const least = document.getElementById("least");
  const boxes = [...bar.querySelectorAll("input[type=checkbox]")];
  const status = bar.querySelector(".shown");
  const textOf = new WeakMap();
  const text = (node) => {
    if (!textOf.has(node)) textOf.set(node, node.textContent.toLowerCase());
    return textOf.get(node);
  };
  const items = [...document.querySelectorAll(".clause, .verdict")].map((node) => ({
    node,
    outcome: node.dataset.outcome,
    severity: node.dataset.severity,
    findings: [...node.querySelectorAll(".finding")],
    groups: [...node.querySelectorAll("details.more")],
  }));
  const rank = (value) => (value === undefined ? 0 : Number(value));
  const apply = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const worst = least.value === "" ? Infinity : Number(least.value);
    const outcomes = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const has = (node) => words.every((word) => text(node).includes(word));
    let shown = 0;
    for (const item of items) {
      const fits =
        outcomes.has(item.outcome) && (worst === Infinity || rank(item.severity) <= worst) && has(item.node);
      item.node.hidden = !fits;
      if (!fits) continue;
      shown += 1;
      const found = words.length ? item.findings.filter(has) : [];
      const keep = new Set(found.length ? found : item.findings);
      for (const finding of item.findings) finding.hidden = !keep.has(finding);
      for (const group of item.groups) {
        group.hidden = found.length > 0 && !group.querySelector(".finding:not([hidden])");
        if (words.length && found.length && !group.hidden) group.open = true;
      }
    }
    const isWhole = !words.length && worst === Infinity && outcomes.size === boxes.length;
    status.textContent = isWhole
      ? ""
      : status.dataset.text.replace("%1", shown).replace("%2", items.length);
  };
  const clear = () => {
    find.value = "";
    least.value = "";
    for (const box of boxes) box.checked = true;
    apply();
  };
  let waiting = 0;
  find.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  });
  bar.addEventListener("change", apply);
  bar.querySelector("button").addEventListener("click", clear);
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest("[hidden]")) clear();
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  bar.hidden = false;
  clear();
  if (location.hash) reveal();
})();
