// What Portal needs beyond htmx. Nothing here is needed to use the app.
// The listeners are on document and window, because htmx may replace the body.
"use strict";

// Somebody may have signed out in another tab: what has the trigger
// "tab-visible from:body" reads itself again when this tab is looked at again,
// or the session's time is up. And what is under way has "tick from:body": every
// 5 s, while it is looked at.
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

// A page that the browser kept for its Back button may show what is no longer so.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// Times come in UTC. Say them in the reader's zone: what stands there, or what
// is behind the words.
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

// A click with a modifier opens a link elsewhere, as everywhere in a browser: htmx
// would keep the browser from it, and do nothing itself.
document.addEventListener("click", (event) => {
  const modified = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  if (modified && event.target.closest("a[href]")) event.stopImmediatePropagation();
}, { capture: true });

// The second click of a double one is meant for what was there at the first.
document.addEventListener("click", (event) => {
  if (event.detail < 2 || !event.target.closest(".button")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, { capture: true });

// An error that the app did not send itself, as of a proxy before it, takes
// nobody's form away: the page stays as it is.
document.addEventListener("htmx:before:response", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.raw.ok || ctx.response.raw.headers.has("Portal-Answer")) return;
  event.preventDefault();
  if (ctx.sourceEvent?.isTrusted) say("The server cannot be reached just now. Please try again in a moment.");
});

// The message of a page came with it, and screen readers read out what changes: so it
// is put into its place once more, when they know that place.
const message = document.getElementById("message");
if (message) setTimeout(() => message.replaceChildren(...message.childNodes), 300);

// Say how a swap that the person asked for went; a screen reader reads it out.
// Events that a script made, such as the one above, are not trusted.
const say = (text) => {
  const status = document.getElementById("status");
  if (status) status.textContent = text;
};
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const asked = ctx.sourceEvent?.isTrusted;
  if (!ctx.response.raw.ok) say("");
  else if (asked && ctx.target !== document.body) say("Updated at " + new Date().toLocaleTimeString() + ".");
  if (asked && ctx.response.raw.status === 401) whenVisible("tab-visible"); // the rest is out of date too
});
document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (ctx?.sourceEvent?.isTrusted) say("The server could not be reached. Please try again.");
});

// A focus that a swap would lose goes to what has the same id, or after a click to
// the new heading.
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

// A button that was disabled meanwhile, and is still there, gets the focus back
// when htmx has enabled it again: just after this event.
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => queueMicrotask(() => {
  if (document.activeElement === document.body && ctx.focused?.isConnected) ctx.focused.focus({ preventScroll: true });
}));

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
