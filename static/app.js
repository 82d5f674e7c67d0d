// What Portal needs beyond htmx. Nothing here is needed to use the app.
// The listeners are on document and window, because htmx may replace the body.
"use strict";

// Somebody may have signed out in another tab: what has the trigger
// "tab-visible from:body" reads itself again when this tab is looked at again.
// And what is under way has "tick from:body": every 5 s, while it is looked at.
const whenVisible = (name) => {
  if (document.visibilityState === "visible") {
    document.body.dispatchEvent(new CustomEvent(name, { bubbles: true }));
  }
};
document.addEventListener("visibilitychange", () => whenVisible("tab-visible"));
setInterval(whenVisible, 5000, "tick");

// A page that the browser kept for its Back button may show what is no longer so.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// Say how a swap that the person asked for went; a screen reader reads it out.
// Events that a script made, such as the one above, are not trusted.
const say = (text) => {
  const status = document.getElementById("status");
  if (status) status.textContent = text;
};
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (!ctx.response.raw.ok) say("");
  else if (ctx.sourceEvent?.isTrusted && ctx.target !== document.body) say("Updated at " + new Date().toLocaleTimeString() + ".");
});
document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (ctx?.sourceEvent?.isTrusted) say("The server could not be reached. Please try again.");
});

// What was unfolded stays so over a swap, and a focus that would be lost goes
// to what has the same id, or after a click to the new heading.
document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  ctx.unfolded = [...ctx.target.querySelectorAll("details[open]")].map((details) => details.id);
  ctx.focused = document.activeElement;
});
document.addEventListener("htmx:after:swap", ({ target, detail: { ctx } }) => {
  for (const id of ctx.unfolded) document.getElementById(id)?.setAttribute("open", "");
  if (ctx.focused === document.body || document.activeElement !== document.body) return;
  let next = document.getElementById(ctx.focused?.id);
  if (!next && ctx.sourceEvent?.isTrusted) {
    next = target.querySelector("h2"); // the event is the new content's; ctx.target is gone
    next?.setAttribute("tabindex", "-1");
  }
  next?.focus({ preventScroll: true });
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
    say("The browser did not allow copying. Please select the token and copy it yourself.");
  }
});
