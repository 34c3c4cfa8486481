// A part of a page is asked for anew every few seconds, while somebody looks. Without this file the page loads itself anew.
(() => {
  "use strict";
  const part = document.querySelector("[data-again]");
  setInterval(async () => {
    if (document.hidden || part.contains(document.activeElement)) return;
    const answer = await fetch(location.href);
    if (!answer.ok || answer.redirected) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id);
    if (found) part.replaceChildren(...found.childNodes);
  }, 1000 * Number(part.dataset.again));
})();
