// The browser's part of security keys and passkeys. A page calls a function by
// the name a form's node gives; the function asks the browser for a key, writes
// the answer into the hidden input that waits for it, and sends its form.
//
// What goes wrong is told by the event "oryWebAuthnFailed" at the document, with
// the error as its detail. A page that shows it itself calls preventDefault;
// elsewhere an alert says it.
"use strict";
(() => {
  if (!window.PublicKeyCredential || !navigator.credentials) {
    console.warn("This browser has no security keys and passkeys, or this page is not secure.");
    return;
  }

  // The wire has binary values in base64url, without padding.
  const toBytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const toText = (buffer) =>
    btoa(Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join(""))
      .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  const parsed = (options) => (typeof options === "string" ? JSON.parse(options) : options);

  // readable makes the options the browser takes of those that were sent.
  const readable = ({ publicKey }) => {
    const keys = (list) => list?.map((key) => ({ ...key, id: toBytes(key.id) }));
    const out = { ...publicKey, challenge: toBytes(publicKey.challenge) };
    if (out.user) out.user = { ...out.user, id: toBytes(out.user.id) };
    if (out.allowCredentials) out.allowCredentials = keys(out.allowCredentials);
    if (out.excludeCredentials) out.excludeCredentials = keys(out.excludeCredentials);
    return out;
  };

  // sendable makes JSON of what the browser answers, of a new key and of a used
  // one alike: each has some of the fields.
  const sendable = (key) => {
    const response = {};
    for (const field of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (key.response[field]) response[field] = toText(key.response[field]);
    }
    if (key.response.getTransports) response.transports = key.response.getTransports();
    const out = { id: key.id, rawId: toText(key.rawId), type: key.type, response };
    if (key.authenticatorAttachment) out.authenticatorAttachment = key.authenticatorAttachment;
    return JSON.stringify(out);
  };

  const named = (name) => {
    const element = document.getElementsByName(name)[0];
    if (!element) throw new Error("This page has no input named " + name + ".");
    return element;
  };

  const tell = (error) => {
    if (document.dispatchEvent(new CustomEvent("oryWebAuthnFailed", { detail: error, cancelable: true }))) {
      alert(error.message || error);
    }
  };

  // A browser has one request for a key at a time. Passkeys offered while a
  // person types give way to a button, and come back when the button led nowhere.
  let pending = null;
  let offered = false;

  const ask = async (verb, options) => {
    pending?.abort();
    const own = (pending = new AbortController());
    own.offers = options.mediation === "conditional";
    try {
      return await navigator.credentials[verb]({ ...options, signal: own.signal });
    } finally {
      if (pending === own) pending = null;
    }
  };

  const send = (input, key) => {
    input.value = sendable(key);
    // A control named "submit" would hide the form's own.
    HTMLFormElement.prototype.submit.call(input.form);
  };

  // ceremony answers a button: find says what is asked and where the answer goes.
  const ceremony = (verb, find) => async (options) => {
    try {
      const found = find(options);
      if (found) send(found.input, await ask(verb, { publicKey: found.publicKey }));
    } catch (error) {
      if (error.name === "AbortError") return; // another button was pressed
      tell(error);
      if (offered) offer();
    }
  };

  // offer lets the browser list passkeys where the identifier is typed.
  const offer = async () => {
    try {
      const input = named("passkey_login");
      named("identifier");
      const publicKey = readable(parsed(named("passkey_challenge").value));
      if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
      if (pending && !pending.offers) return; // a button was faster
      offered = true;
      send(input, await ask("get", { publicKey, mediation: "conditional" }));
    } catch (error) {
      // Nobody asked for anything yet, so nobody is told.
      if (error.name !== "AbortError") console.warn(error);
    }
  };

  // naming gives a new passkey the name its owner typed in the same form. A field
  // may be a group of them: traits.name is traits.name.first and its siblings.
  const naming = (user, form, fields) => {
    for (const field of fields) {
      const typed = Array.from(form.elements)
        .filter((e) => e.name === field || e.name.startsWith(field + "."))
        .map((e) => e.value.trim())
        .filter(Boolean)
        .join(" ");
      if (typed) return { ...user, name: typed, displayName: typed };
    }
    return user;
  };

  const functions = {
    oryWebAuthnLogin: ceremony("get", (options) => ({
      input: named("webauthn_login"), publicKey: readable(parsed(options)),
    })),
    oryWebAuthnRegistration: ceremony("create", (options) => ({
      input: named("webauthn_register"), publicKey: readable(parsed(options)),
    })),
    oryPasskeyLogin: ceremony("get", () => ({
      input: named("passkey_login"), publicKey: readable(parsed(named("passkey_challenge").value)),
    })),
    oryPasskeyLoginAutocompleteInit: offer,
    oryPasskeyRegistration: ceremony("create", () => {
      const input = named("passkey_register");
      const data = parsed(named("passkey_create_data").value);
      const publicKey = readable(data.credentialOptions);
      // A passkey made for a form that is then refused would be a dead one.
      for (const field of input.form.elements) {
        if (field.name.startsWith("traits.") && !field.reportValidity()) return null;
      }
      publicKey.user = naming(publicKey.user, input.form, data.displayNameFieldNames ?? [data.displayNameFieldName]);
      return { input, publicKey };
    }),
    oryPasskeySettingsRegistration: ceremony("create", () => ({
      input: named("passkey_settings_register"), publicKey: readable(parsed(named("passkey_create_data").value)),
    })),
  };
  for (const [name, run] of Object.entries(functions)) {
    window[name] = window["__" + name] = run;
  }
  window.dispatchEvent(new CustomEvent("oryWebAuthnInitialized"));
})();
