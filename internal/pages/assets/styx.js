// Makes the pages nicer where scripts run; every page works without it, save
// for passkeys and security keys, which no browser has without scripts.
"use strict";
(() => {
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

  // say puts a line below an element, in place of the last one said there.
  const say = (below, text, properties) => {
    if (below.nextElementSibling?.dataset.said) below.nextElementSibling.remove();
    if (!text) return;
    const line = make("p", { textContent: text, ...properties });
    line.dataset.said = "true";
    below.after(line);
  };

  // Why a key did not do what was asked, by the name of the browser's error.
  const failures = {
    NotAllowedError: "Nothing happened: no key answered in time, or you cancelled. You can try again.",
    InvalidStateError: "This key is already registered with your account.",
    SecurityError: "Keys do not work at this address. Open this page at the address you usually use.",
  };

  // Buttons of passkeys and security keys stay hidden until the API's script,
  // which loads before this one, brought the function they call.
  let pressed = null;
  for (const button of document.querySelectorAll("button[data-trigger]")) {
    const run = window[button.dataset.trigger];
    if (typeof run !== "function") {
      say(button.form, "This browser has no passkeys and security keys here: they need https and a current browser.", { className: "hint" });
      continue;
    }
    button.hidden = button.form.hidden = false;
    button.addEventListener("click", () => {
      pressed = button;
      say(button, "");
      run(button.value); // the options of a security key; passkeys' stand in an input
    });
    // Enter in a form that has no other button means this one.
    button.form.addEventListener("submit", (event) => {
      if (event.submitter) return;
      event.preventDefault();
      button.click();
    });
  }
  document.addEventListener("oryWebAuthnFailed", (event) => {
    if (!pressed) return;
    event.preventDefault();
    const text = failures[event.detail.name] ?? "That did not work: " + event.detail.message;
    say(pressed, text, { className: "note error", role: "alert" });
    pressed.focus();
  });
  for (const input of document.querySelectorAll("input[data-load]")) {
    const run = window[input.dataset.load];
    if (typeof run === "function") run();
  }

  for (const input of document.querySelectorAll("input[type=password]")) {
    const button = make("button", { type: "button", className: "reveal" });
    const show = (shown) => {
      input.type = shown ? "text" : "password";
      button.textContent = shown ? "Hide" : "Show";
      button.setAttribute("aria-label", button.textContent + " password");
    };
    button.setAttribute("aria-controls", input.id);
    show(false);
    button.addEventListener("click", () => show(input.type === "password"));
    // What is sent is a password again, so that nobody's history keeps it.
    input.form.addEventListener("submit", () => show(false));
    const row = make("div", { className: "row" });
    input.replaceWith(row);
    row.append(input, button);
  }

  // What is to be kept can be copied, and a list of codes printed.
  for (const text of document.querySelectorAll(".text")) {
    const lines = Array.from(text.querySelectorAll("[data-copy]"), (line) => line.textContent);
    const row = make("div", { className: "row" });
    const add = (label, act) => {
      const button = make("button", { type: "button", textContent: label });
      button.addEventListener("click", act);
      row.append(button);
    };
    if (navigator.clipboard && lines.length > 0) {
      add("Copy", () => {
        navigator.clipboard.writeText(lines.join("\n") + "\n").then(
          () => say(row, "Copied.", { className: "hint", role: "status" }),
          () => say(row, "The browser does not let this page copy.", { className: "note error", role: "alert" }),
        );
      });
    }
    if (text.querySelector(".codes")) add("Print", () => window.print());
    if (row.hasChildNodes()) text.append(row);
  }
})();
