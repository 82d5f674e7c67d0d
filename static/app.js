// What htmx does not do. The app can be used without it.
// The listeners are on document and window, because htmx may replace the body.
"use strict";

// Elements with the trigger "tab-visible from:body" reload when this tab becomes visible
// again, because somebody may have signed out in another tab, and when the session
// expires. Elements with "tick from:body" reload every 5 s while the tab is visible, to
// show the progress of tasks.
const whenVisible = (name) => {
  if (document.visibilityState === "visible") {
    document.body.dispatchEvent(new CustomEvent(name, { bubbles: true }));
  }
};
document.addEventListener("visibilitychange", () => whenVisible("tab-visible"));
setInterval(() => {
  whenVisible("tick");
  const visitor = document.querySelector("[data-seconds-left]");
  if (!visitor) return;
  visitor.until ??= Date.now() + visitor.dataset.secondsLeft * 1000; // a span: their clock may be wrong
  if (Date.now() >= visitor.until) whenVisible("tab-visible");
}, 5000);

// A page from the browser's back/forward cache may be out of date.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// Times come in UTC. Show them in the reader's time zone: the text itself, or the tooltip
// of the text.
const localTimes = () => {
  const zone = { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
  for (const time of document.querySelectorAll("time[data-local]")) {
    const local = new Date(time.dateTime).toLocaleString(undefined, zone);
    if (time.dataset.local === "text") time.textContent = local;
    else time.title = local;
  }
};
localTimes();
document.addEventListener("htmx:after:swap", localTimes);

// A click with a modifier key opens a link in a new tab or window, as browsers do. htmx
// would prevent that, and do nothing itself.
document.addEventListener("click", (event) => {
  const modified = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  if (modified && event.target.closest("a[href]")) event.stopImmediatePropagation();
}, { capture: true });

// Ignore the second click of a double click: a swap may have put another button there.
document.addEventListener("click", (event) => {
  if (event.detail < 2 || !event.target.closest(".button")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, { capture: true });

// An error that a proxy sent, and not the app, is not swapped in, so that no form is
// lost: the page stays as it is.
document.addEventListener("htmx:before:response", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.raw.ok || ctx.response.raw.headers.has("Portal-Answer")) return;
  event.preventDefault();
  if (ctx.sourceEvent?.isTrusted) say("The server cannot be reached just now. Please try again in a moment.");
});

// Screen readers read out what changes, and the message of a page came with the page: so
// it is put into its place again when they know that place.
const message = document.getElementById("message");
if (message) setTimeout(() => message.replaceChildren(...message.childNodes), 300);

// Report the outcome of a swap that the person asked for, for screen readers too. Events
// that a script made, such as the one above, are not trusted.
const say = (text) => {
  const status = document.getElementById("status");
  if (status) status.textContent = text;
};
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const asked = ctx.sourceEvent?.isTrusted;
  if (!ctx.response.raw.ok) say("");
  else if (asked && ctx.target !== document.body) say("Updated at " + new Date().toLocaleTimeString() + ".");
});
// Who is signed out, as an answer says, should not be on the rest of the page either. It
// reads itself when htmx has ended this request: until then the button's card would not.
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (ctx.sourceEvent?.isTrusted && ctx.response?.raw.status === 401) queueMicrotask(() => whenVisible("tab-visible"));
});
// A part of a page that reads itself again says in data-says what has become of it.
let said = document.querySelector("[data-says]")?.dataset.says;
document.addEventListener("htmx:after:swap", () => {
  const now = document.querySelector("[data-says]")?.dataset.says;
  if (now && now !== said) say(now);
  said = now;
});
document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (ctx?.sourceEvent?.isTrusted) say("The server could not be reached. Please try again.");
});

// A focus that a swap would lose moves to the element with the same id or, after a click,
// to the new heading.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  ctx.focused = document.activeElement;
});
document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (document.activeElement !== document.body) ctx.focused = document.activeElement;
  const before = ctx.target.previousElementSibling;
  if (before?.dataset.beside) before.remove();
});
document.addEventListener("htmx:after:swap", ({ target, detail: { ctx } }) => {
  if (ctx.swap === "beforebegin") ctx.target.previousElementSibling.dataset.beside = "until the next answer";
  if (ctx.focused === document.body || document.activeElement !== document.body) return;
  let next = document.getElementById(ctx.focused?.id);
  if (!next && ctx.sourceEvent?.isTrusted) {
    next = target.querySelector("h2"); // the event is the new content's; ctx.target is gone
    next?.setAttribute("tabindex", "-1");
  }
  next?.focus({ preventScroll: true });
});

// A button that htmx disabled during a request gets the focus back when htmx has enabled
// it again, just after this event.
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => queueMicrotask(() => {
  if (document.activeElement === document.body && ctx.focused?.isConnected) ctx.focused.focus({ preventScroll: true });
}));

// A dialog opens when htmx puts something into it. The browser closes it.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const dialog = ctx.target?.closest?.("dialog");
  if (dialog && !dialog.open) dialog.showModal();
});

// A form with data-counts says how many of its boxes are ticked, in the element that has
// that id: the server has counted those that it knows of.
document.addEventListener("change", ({ target }) => {
  const form = target.closest("form[data-counts]");
  if (!form || target.type !== "checkbox") return;
  const all = form.querySelector("[name=item][value='/']:checked");
  document.getElementById(form.dataset.counts).textContent = all ? "Everything is ticked" : form.querySelectorAll("[name=item]:checked").length + " ticked";
});

// A button with data-copy copies the text of the element that has that id.
document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.firstChild.data = "Copied ";
    say("Copied.");
  } catch {
    say("The browser did not allow copying. Please select the text and copy it yourself.");
  }
});
