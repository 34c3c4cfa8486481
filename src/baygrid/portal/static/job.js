// A job's page follows what happens: its stages by events, its log as it grows. Without this file a page is loaded anew.
(() => {
  "use strict";
  const live = document.getElementById("live");
  const log = document.getElementById("log-text");
  const job = live.dataset.job;
  let asked = false;

  async function renew() {
    if (asked) return;
    asked = true;
    await new Promise((done) => setTimeout(done, 300));
    asked = false;
    const answer = await fetch(`/portal/jobs/${job}/live`);
    if (answer.ok && !answer.redirected) live.innerHTML = await answer.text();
  }

  async function follow() {
    const from = log ? log.dataset.from : 0;
    const answer = await fetch(`/v1/jobs/${job}/logs?follow=true&offset=${from}`);
    if (!answer.ok || !log) return;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
      log.append(value);
      if (atEnd) log.scrollTop = log.scrollHeight;
    }
  }

  if (log) log.scrollTop = log.scrollHeight;
  const events = new EventSource(`/v1/jobs/${job}/events?follow=true`);
  const kinds = ["job-held", "job-released", "job-placed", "job-requeued", "attempt-staging", "attempt-waiting", "attempt-running",
    "attempt-stopping", "attempt-publishing", "attempt-unknown", "cancel-requested", "preempt-requested"];
  for (const kind of kinds) events.addEventListener(kind, renew);
  // When it is over the whole page is: results, charges, what can be done next.
  for (const kind of ["job-succeeded", "job-failed", "job-cancelled"]) {
    events.addEventListener(kind, () => { events.close(); location.reload(); });
  }
  const clock = setInterval(renew, 10000);
  addEventListener("pagehide", () => { clearInterval(clock); events.close(); });
  follow().catch(() => {});
})();
