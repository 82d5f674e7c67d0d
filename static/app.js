// What Portal needs beyond htmx. Nothing here is needed to use the app.
// The listeners are on document and window, because htmx may replace the body.
"use strict";

// Somebody may have signed out in another tab: what has the trigger
// "tab-visible from:body" reads itself again when this tab is looked at again.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") {
    document.body.dispatchEvent(new CustomEvent("tab-visible", { bubbles: true }));
  }
});

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
  if (!ctx.sourceEvent?.isTrusted || ctx.target === document.body) return;
  say(ctx.response.raw.ok ? "Updated at " + new Date().toLocaleTimeString() + "." : "");
});
document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (ctx?.sourceEvent?.isTrusted) say("The server could not be reached. Please try again.");
});
