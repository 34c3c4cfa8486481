// Looks the words of ?q= up in index.js. Every word must be in a section, whole or as a beginning; headings count more.
"use strict";

const MOST = 40;

function numbers(steps) {
  let at = 0;
  return steps.map((step) => (at += step));
}

function asked(text) {
  return text.toLowerCase().match(/[a-z0-9][a-z0-9_]*|[\u3040-\u30ff\u4e00-\u9fff]+/g) || [];
}

function sectionsWith(word) {
  const scores = new Map();
  for (const [known, steps] of Object.entries(SITE.words)) {
    if (!known.startsWith(word)) continue;
    const score = known === word ? 3 : 1;
    for (const number of numbers(steps)) scores.set(number, Math.max(score, scores.get(number) || 0));
  }
  for (const [number, score] of scores) {
    const [, page, heading] = SITE.sections[number];
    const named = (heading || page).toLowerCase().split(/[^\p{L}\p{N}_]+/u);
    if (named.some((each) => each.startsWith(word))) scores.set(number, score + (heading ? 4 : 6));
  }
  return scores;
}

function found(words) {
  const each = words.map(sectionsWith);
  const all = [...(each[0] || new Map()).keys()].filter((number) => each.every((scores) => scores.has(number)));
  const total = (number) => each.reduce((sum, scores) => sum + scores.get(number), 0);
  return all.sort((a, b) => total(b) - total(a) || a - b);
}

function row(number) {
  const [address, page, heading, beginning] = SITE.sections[number];
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = address;
  link.textContent = heading ? `${page}: ${heading}` : page;
  const text = document.createElement("p");
  text.textContent = beginning;
  item.append(link, text);
  return item;
}

const query = new URLSearchParams(location.search).get("q") || "";
const words = asked(query);
if (words.length) {
  const hits = found(words);
  document.querySelector("input[name=q]").value = query;
  document.querySelector("#told").textContent = hits.length
    ? `${hits.length} places have “${query}”${hits.length > MOST ? `; here are the first ${MOST}` : ""}.`
    : `No page has “${query}”. Every heading is below.`;
  document.querySelector("#found").append(...hits.slice(0, MOST).map(row));
  document.querySelector("#all").hidden = hits.length > 0;
}
