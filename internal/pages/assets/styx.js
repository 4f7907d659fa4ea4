// Makes the pages nicer where scripts run; every page works without it, save
// for passkeys and security keys, which no browser has without scripts.
"use strict";
(() => {
  // Buttons of passkeys and security keys stay hidden until the API's script,
  // which loads before this one, brought the function they call.
  for (const button of document.querySelectorAll("button[data-trigger]")) {
    const run = window[button.dataset.trigger];
    if (!button.dataset.trigger || typeof run !== "function") continue;
    button.hidden = false;
    button.addEventListener("click", () => (button.value ? run(JSON.parse(button.value)) : run()));
  }
  for (const input of document.querySelectorAll("input[data-load]")) {
    const run = window[input.dataset.load];
    if (typeof run === "function") run();
  }
  for (const input of document.querySelectorAll("input[type=password]")) {
    const button = document.createElement("button");
    const show = (shown) => {
      input.type = shown ? "text" : "password";
      button.textContent = shown ? "Hide" : "Show";
      button.setAttribute("aria-label", button.textContent + " password");
    };
    button.type = "button";
    button.className = "reveal";
    button.setAttribute("aria-controls", input.id);
    show(false);
    button.addEventListener("click", () => show(input.type === "password"));
    // What is sent is a password again, so that nobody's history keeps it.
    input.form.addEventListener("submit", () => show(false));
    const row = document.createElement("div");
    row.className = "row";
    input.replaceWith(row);
    row.append(input, button);
  }
})();
